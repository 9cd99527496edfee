"""`mlbench completion SHELL`."""

from __future__ import annotations

import click

from mlbench.cli.common import emit, home_option


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@home_option
@click.pass_context
def command(ctx: click.Context, shell: str, home: str | None) -> None:  # noqa: ARG001 - every command takes --home
    """Print the completion script of SHELL. It knows runs, metrics, tags, views, and what may come next in a filter.

    \b
    bash:  mlbench completion bash > ~/.local/share/bash-completion/completions/mlbench
    zsh:   mlbench completion zsh > "${fpath[1]}/_mlbench"
    fish:  mlbench completion fish > ~/.config/fish/completions/mlbench.fish
    """
    from click.shell_completion import get_completion_class

    from mlbench.cli.shells import register

    register()
    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"no completion for {shell}")
    emit(completion(ctx.find_root().command, {}, "mlbench", "_MLBENCH_COMPLETE").source() + "\n")
