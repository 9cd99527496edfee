"""The group under the cursor: its members are asked for, and its runs are drawn as one curve with a band."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.safe import safe
from mlbench.tui.group_page import group_name
from mlbench.tui.session import ChartLabels

if TYPE_CHECKING:
    from mlbench.queries.members import Members
    from mlbench.tui.desk import Desk
    from mlbench.tui.view import ChartLook


def ask_members(desk: Desk) -> None:
    """Ask what the runs of the group came to; on a run there is nothing to ask."""
    group = desk.group
    if group is None:
        desk.asker.forget("members")
        if desk.answers.members is not None:
            desk.answers.members = None
            desk.panes.draw_compare(desk)
        return

    def take(members: Members) -> None:
        desk.answers.members = members
        desk.panes.draw_compare(desk)

    desk.asker.ask("members", lambda: desk.session.details.members(group), take, lane="detail")


def ask_labels(desk: Desk) -> None:
    """Ask what tells the charted runs apart, and which repeat each other, where they are others than before."""

    def take(labels: ChartLabels) -> None:
        desk.answers.labels = labels
        desk.panes.draw_chart(desk)

    ids = list(dict.fromkeys(one.head.run_id for one in desk.answers.series))
    if len(ids) > 1 and set(ids) != set(desk.answers.labels.settings):
        desk.asker.ask("labels", lambda: desk.session.labels_of(ids), take, lane="detail", subject=ids)


def charted_group(desk: Desk) -> tuple[ChartLook, ChartLabels]:
    """The look of the charts, and what its curves are called: the group under the cursor is one."""
    look, group = desk.view.chart, desk.group
    if group is None or len(group.run_ids) < 2:
        return look, desk.answers.labels
    name = safe(str(group_name(group.keys)))
    settings = {one.head.run_id: name if one.head.run_id in group.run_ids else safe(one.head.name)
                for one in desk.answers.series}  # fmt: skip
    return replace(look, is_grouped=True), ChartLabels(settings)
