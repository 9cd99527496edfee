"""From names to columns of joined relations: each operand that is asked for becomes one left join over the runs.

Only the keys that are named are read, each once, so that a filter over 100,000 runs touches a few columns and a few
keys. Text of users and logs reaches SQL as bound parameters only: keys are rows here, never columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlbench.dataclass import dataclass
from mlbench.queries import curves, storage
from mlbench.queries.fields import CODE_CERTAINTY, FIELDS, GIT, MLFLOW_TAGS, NOT_KEPT, Field, field_name
from mlbench.queries.fragment import Sql, bindable
from mlbench.queries.goals import goal_of
from mlbench.queries.mistakes import FilterError, shown
from mlbench.queries.reading import Reader
from mlbench.queries.suggest import nearest
from mlbench.queries.tree import (
    PLAIN_FIELDS,
    Aggregate,
    Curve,
    Operand,
    Ref,
    StepOf,
    ValueAt,
    operand_text,
    quote_name,
)
from mlbench.queries.vocabulary import PACKAGE, Vocabulary, runs_text

_STATISTIC = {"first": "first_value", "last": "last_value", "min": "min_value", "max": "max_value",
              "mean": "mean_value", "count": "n"}  # fmt: skip
_TAG = """SELECT run_id, txt, CASE WHEN isnan(number) THEN NULL ELSE number END AS number FROM (
SELECT run_id, txt, TRY_CAST(txt AS DOUBLE) AS number
FROM (SELECT run_id, min(value) AS txt FROM tags WHERE tag = ? GROUP BY run_id) AS mine) AS typed"""
_GIT = f"""SELECT * FROM (SELECT run_id, commit_id, branch, is_dirty, remote, how, subject, row_number() OVER (
PARTITION BY run_id ORDER BY {CODE_CERTAINTY}) AS place FROM code) AS ranked WHERE place = 1"""
_DATA = "SELECT run_id, min(version) AS txt FROM data_version WHERE name = ? GROUP BY run_id"
_DATA_SET = "SELECT run_id, string_agg(DISTINCT {0}, ', ' ORDER BY {0}) AS txt FROM data_version GROUP BY run_id"
DATA_SET_COLUMNS = {"name": "name", "digest": "version"}
"""Column of the table `data_version` for each word after `dataset.`."""
_ENV = "SELECT run_id, min(value) AS txt FROM environment WHERE key IN (?, ?) GROUP BY run_id"
_TAG_LISTS = """SELECT run_id, array_agg(tag ORDER BY tag) AS listed, string_agg(tag, ', ' ORDER BY tag) AS txt
FROM (SELECT DISTINCT run_id, tag FROM tags WHERE value = '') AS once GROUP BY run_id"""
_NOTES = "SELECT run_id, min(body) AS body FROM imported_note GROUP BY run_id"
_COMPUTED = "SELECT unnest(CAST(? AS VARCHAR[])) AS run_id, unnest(CAST(? AS DOUBLE[])) AS number"

MAX_TOLD = 5
"""Names that are told where none is near the one that was typed."""
GOALLESS = "nothing says whether {0} shall be least or greatest. Try: min({1}), or: mlbench metric {2} --goal min"


@dataclass(frozen=True, slots=True)
class Bound:
    """An operand as SQL over the runs `r` and the joins of a Binding."""

    kind: str
    """number, duration, mixed, param, text, status, time, bool, tag, note, version or commit."""
    label: str
    """As it is written in a filter."""
    text: str = ""
    """Expression of its text, NULL where missing; '' where it has none."""
    number: str = ""
    """Expression of its number, NULL where missing or no number; '' where it never is one."""
    value: tuple[str, ...] = ()
    """Expressions of what a table shows; a param has type, num and txt."""
    alias: str = ""
    """Of the join that it comes from."""
    source: str = "field"
    """field, param, metric or tag."""
    raw: str = ""
    """Expression of a param's text as its source has it, NULL where missing; '' for everything else."""
    key: str = ""
    """The name: of a metric whose value this is, of a parameter, of an env package."""

    @property
    def present(self) -> str:
        """Condition that the run has a value, or says in so many words that it has none (a parameter that is null)."""
        return f"({self.raw or self.text or self.number}) IS NOT NULL"


class Binding:
    """Resolves the operands of one question; afterwards `joins` and `remarks` tell what was found.

    Args:
        reader: the catalog; summaries are joined, points are read only for questions about curves.
        vocabulary: the names that there are.
        scope: condition on `run r` that bounds what is read for questions about curves.
    """

    def __init__(self, reader: Reader, vocabulary: Vocabulary, scope: Sql) -> None:
        self.reader = reader
        self.vocabulary = vocabulary
        self.scope = scope
        self.joins: list[Sql] = []
        self.remarks: dict[str, None] = {}
        self._aliases: dict[tuple[object, ...], str] = {}

    def bind(self, operand: Operand, text: str) -> Bound:
        """Resolve an operand.

        Args:
            operand: of a filter, a column or a sort.
            text: what was typed, for the caret.

        Raises:
            FilterError: no run in the scope has it.
        """
        match operand:
            case Ref():
                return self._ref(operand, text)
            case Aggregate(how, metric):
                return self._aggregate(operand, how, self.metric(metric, text), text)
            case ValueAt(metric, how, by):
                mine, other = self.metric(metric, text), self.metric(by, text)
                column = f"{self._extreme(how, by, text)}_step"
                found = self._computed(operand, lambda: curves.values_at(self.reader, self.scope, mine, other, column))
                return _number(operand_text(operand), found, mine)
            case StepOf(how, metric):
                alias = self._series(self.metric(metric, text))
                return _number(operand_text(operand), f"{alias}.{self._extreme(how, metric, text)}_step")
            case _:
                name, percent = self.metric(operand.metric, text), operand.percent
                found = self._computed(operand, lambda: curves.slopes(self.reader, self.scope, name, percent))
                return _number(operand_text(operand), found)

    def curve(self, curve: Curve, text: str) -> str:
        """The condition that a curve predicate stands for.

        Raises:
            FilterError: no run in the scope has the metric.
        """
        name = self.metric(curve.metric, text)
        if curve.how == "plateau":
            return f"{self._computed(curve, lambda: curves.plateaus(self.reader, self.scope, name))} = 1"
        s = self._series(name)
        if curve.how in {"nan", "inf"}:
            return f"{s}.n_{curve.how} > 0"
        goal, _how = goal_of(self.reader, name)
        best, sign, away = ("max", "<", "-1") if goal == "max" else ("min", ">", "1")
        drift = f"{away} * ({s}.last_value - {s}.{best}_value) > 1000 * abs({s}.{best}_value)"
        return f"{s}.n_nan + {s}.n_inf > 0 OR ({drift} AND {s}.last_value {sign} {s}.first_value)"

    def metric(self, ref: Ref, text: str) -> str:
        """The name of a metric that is known to be there."""
        return self._known("metric", ref, text)

    # ------------------------------------------------------------ names

    def _ref(self, ref: Ref, text: str) -> Bound:
        if ref.kind == "bare":
            ref = self._resolved(ref, text)
        if (why := NOT_KEPT.get((ref.kind, ref.name))) and self._given(ref) is ref:
            raise FilterError(why, text, ref.at)
        ref = self._given(ref)
        label = quote_name(ref.kind, ref.name)
        match ref.kind:
            case "dataset":
                column = DATA_SET_COLUMNS[ref.name]
                d = self._join(("dataset", column), Sql(_DATA_SET.format(column)))
                return Bound("text", label, f"{d}.txt", "", (f"{d}.txt",), d)
            case "field":
                self._remark_shadowed(ref, text)
                return self._field(ref.name, label)
            case "git":
                return self._git(ref.name, label)
            case "metric":
                return self._statistic("last", self.metric(ref, text), label)
            case "param":
                key = self._known("param", ref, text)
                p = storage.param_columns(self.vocabulary, key, self._join)
                return Bound(
                    "param", label, p.present, p.number, (p.type, p.num, p.text), source="param", raw=p.raw, key=key
                )
            case "tag":
                t = self._keyed(_TAG, "tag", self._known("tag", ref, text))
                return Bound("mixed", label, f"{t}.txt", f"{t}.number", (f"{t}.txt",), t, "tag")
            case "data":
                d = self._keyed(_DATA, "data", self._data_set(ref, text))
                return Bound("text", label, f"{d}.txt", "", (f"{d}.txt",), d)
            case _:
                name = self._known("env", ref, text)
                e = self._join(("env", name), Sql(_ENV, (bindable(PACKAGE + name), bindable(name))))
                return Bound("version", label, f"{e}.txt", "", (f"{e}.txt",), e, key=name)

    def _given(self, ref: Ref) -> Ref:
        """What MLflow's words mean here: its own tags are fields, and `dataset.name` may be a parameter instead."""
        if ref.kind == "tag" and ref.name in MLFLOW_TAGS and ref.name not in self.vocabulary.names("tag"):
            kind, name = MLFLOW_TAGS[ref.name]
            return Ref(kind, name, ref.at)
        key = f"dataset.{ref.name}"
        if ref.kind == "dataset" and not self.vocabulary.names("data") and key in self.vocabulary.names("param"):
            self.remarks[f"{key} is {quote_name('param', key)}"] = None
            return Ref("param", key, ref.at)
        return ref

    def is_data_set(self, ref: Ref) -> bool:
        """Whether a name is one of the data sets that the sources hold."""
        return self._given(ref).kind == "dataset" and (ref.kind, ref.name) not in NOT_KEPT

    def _resolved(self, ref: Ref, text: str) -> Ref:
        """A bare name as parameter, else metric, else tag, else one of the lesser fields."""
        for kind in ("param", "metric", "tag"):
            if ref.name in self.vocabulary.names(kind):
                found = Ref(kind, ref.name, ref.at)
                self.remarks[f"{ref.name} is {quote_name(kind, ref.name)}"] = None
                return found
        if field := field_name(ref.name):
            return Ref("field", field, ref.at)
        if not self.vocabulary.n_runs:
            return Ref("param", ref.name, ref.at)
        if why := NOT_KEPT.get(("field", ref.name)):
            raise FilterError(why, text, ref.at)
        raise self._unknown("field, parameter, metric or tag", ref, text)

    def _remark_shadowed(self, ref: Ref, text: str) -> None:
        """A bare name that is a field may be a parameter or metric as well: say which one it is here."""
        typed = text[ref.at : ref.at + len(ref.name)].lower()
        for kind in ("param", "metric"):
            if typed == ref.name and ref.name in self.vocabulary.names(kind):
                self.remarks[f"{ref.name} is run.{ref.name}; for the other try: {quote_name(kind, ref.name)}"] = None

    def _data_set(self, ref: Ref, text: str) -> str:
        """The name of a data set; `train` is `digits/train` where no other one ends so, and a remark says it."""
        names = self.vocabulary.names("data")
        ends = [name for name in names if name.endswith(f"/{ref.name}")]
        if ref.name in names or len(ends) != 1:
            return self._known("data", ref, text)
        self.remarks[f"{quote_name('data', ref.name)} is {quote_name('data', ends[0])}"] = None
        return ends[0]

    def _known(self, kind: str, ref: Ref, text: str) -> str:
        if ref.name in self.vocabulary.names(kind) or not self.vocabulary.n_runs:
            return ref.name
        word = {"param": "parameter", "data": "data set", "env": "package or other fact of the environment"}.get(
            kind, kind
        )
        raise self._unknown(word, ref, text)

    def _unknown(self, what: str, ref: Ref, text: str) -> FilterError:
        message = f"no {what} {shown(ref.name)} in {runs_text(self.vocabulary.n_runs)}."
        return FilterError(message + self._hint(ref), text, ref.at, is_place_told=False)

    def _hint(self, ref: Ref) -> str:
        kinds: tuple[str, ...] = ("param", "metric", "tag")
        if ref.kind != "bare":
            whole = f"{ref.kind}.{ref.name}"  # a parameter `data.path` is asked for by its whole name
            if whole in self.vocabulary.names("param"):
                return f" Try: {quote_name('param', whole)}"
            for kind in kinds:
                if ref.name in self.vocabulary.names(kind):
                    return f" Try: {quote_name(kind, ref.name)}"
            kinds = (ref.kind,)
        known = frozenset[str]().union(*(self.vocabulary.names(kind) for kind in kinds))
        if ref.kind == "bare":
            known |= PLAIN_FIELDS.keys()
        near = nearest(ref.name, known)
        if near:
            return f" Did you mean {shown(near, limit=200)}?"
        if ref.kind == "bare":
            return " Try: quotes around it to find text"
        some = ", ".join(shown(name) for name in sorted(known, key=lambda name: (len(name), name))[:MAX_TOLD])
        more = f" and {len(known) - MAX_TOLD} more" if len(known) > MAX_TOLD else ""
        return f" There {'is' if len(known) == 1 else 'are'}: {some}{more}" if some else ""

    # ------------------------------------------------------------ joins

    def _field(self, name: str, label: str) -> Bound:
        field = FIELDS[name]
        if name == "tag":
            t = self._join(("tags",), Sql(_TAG_LISTS))
            return Bound("tag", label, f"{t}.txt", "", (f"{t}.listed",), t)
        if name == "note":
            n = self._join(("notes",), Sql(_NOTES))
            return Bound("note", label, f"coalesce(r.note, {n}.body)", "", (f"coalesce(r.note, {n}.body)",), n)
        return _of_field(field, field.sql, label)

    def _git(self, name: str, label: str) -> Bound:
        g = self._join(("git",), Sql(_GIT))
        return _of_field(GIT[name], f"{g}.{GIT[name].sql}", label)

    def _aggregate(self, operand: Operand, how: str, metric: str, text: str) -> Bound:
        if how == "best":
            how = self._extreme(how, Ref("metric", metric, operand.at), text)
        return self._statistic(how, metric, operand_text(operand))

    def _extreme(self, how: str, metric: Ref, text: str) -> str:
        if how != "best":
            return how
        goal, _how = goal_of(self.reader, metric.name)
        if not goal:
            import shlex

            label = quote_name("metric", metric.name)
            raise FilterError(GOALLESS.format(shown(metric.name), label, shlex.quote(metric.name)), text, metric.at)
        return goal

    def _statistic(self, how: str, metric: str, label: str) -> Bound:
        expression = storage.metric_column(self.vocabulary, metric, how, self._join)
        expression = expression or f"{self._series(metric)}.{_STATISTIC[how]}"
        return _number(label, expression, "" if how == "count" else metric)

    def _series(self, metric: str) -> str:
        key = ("series", metric)
        return self._aliases.get(key) or self._join(key, curves.main_series(bindable(metric)))

    def _computed(self, key: Operand | Curve, compute: Callable[[], dict[str, float]]) -> str:
        """The expression of a number that was computed from points; each is computed once."""
        if (key,) not in self._aliases:
            values = compute()
            self._join((key,), Sql(_COMPUTED, (list(values), list(values.values()))))
        return f"{self._aliases[(key,)]}.number"

    def numbered(self, what: str, values: Mapping[str, float]) -> str:
        """The expression of a number that is known for each run id."""
        return f"{self._join(('numbered', what), Sql(_COMPUTED, (list(values), list(values.values()))))}.number"

    def _keyed(self, sql: str, kind: str, name: str) -> str:
        return self._join((kind, name), Sql(sql, (bindable(name),)))

    def _join(self, key: tuple[object, ...], relation: Sql, on: str = "run_id = r.id") -> str:
        if key not in self._aliases:
            alias = self._aliases[key] = f"j{len(self.joins)}"
            join = f"LEFT JOIN {_source(relation.text)} AS {alias} ON {alias}.{on}"
            self.joins.append(Sql(join, relation.parameters))
        return self._aliases[key]


def _source(relation: str) -> str:
    """A table by its name, a query in parentheses."""
    return relation if relation.isidentifier() else f"({relation})"


def _number(label: str, expression: str, metric: str = "") -> Bound:
    return Bound("number", label, "", expression, (expression,), source="metric", key=metric)


def _of_field(field: Field, expression: str, label: str) -> Bound:
    if field.kind in {"number", "duration"}:
        return Bound(field.kind, label, "", expression, (expression,))
    number = f"TRY_CAST({expression} AS DOUBLE)" if field.kind == "mixed" else ""
    return Bound(field.kind, label, expression, number, (expression,))
