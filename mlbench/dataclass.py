# ruff: noqa: ANN401 - objects of any class
"""Dataclasses with slots that cost a twentieth to define: what is written for a class is written when it is first made.

`dataclasses.dataclass(frozen=True, slots=True)` writes and compiles up to eight methods for each class, 0.7 ms; the
ninety classes that `mlbench query` imports took a quarter of its time, and a command makes objects of a third of them.
Here the comparing, hashing and printing of all classes is done by the same few functions, and `__init__` is compiled at
the first call. Type checkers see the real one; `dataclasses.fields`, `replace` and `asdict` work.

Not known here, since nothing uses it: inheritance of fields, `InitVar`, `ClassVar`, `kw_only`, `order`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass

    __all__ = ["dataclass"]
else:
    import dataclasses
    from collections.abc import Callable
    from operator import attrgetter

    MISSING = dataclasses.MISSING
    Class = type[Any]

    def dataclass(*, slots: bool, frozen: bool = False, eq: bool = True) -> Callable[[Class], Class]:
        """As the standard library's; `slots` must be true."""
        if not slots:
            raise TypeError("a class without slots: take the standard library's dataclass")
        return lambda cls: _with_slots(cls, is_frozen=frozen, is_compared=eq)

    def _with_slots(cls: Class, *, is_frozen: bool, is_compared: bool) -> Class:
        fields = {name: cls.__dict__.get(name, MISSING) for name in cls.__annotations__}
        kept = {name: value for name, value in vars(cls).items() if name not in fields}
        kept.pop("__dict__", None)
        kept.pop("__weakref__", None)
        compared = [name for name, default in fields.items() if getattr(default, "compare", True) is not False]
        given = {
            "__slots__": tuple(fields),
            "__match_args__": tuple(name for name, default in fields.items() if _is_given(default)),
            "__dataclass_fields__": _Fields(cls),
            "__init__": _first_init,
            "__repr__": _repr,
            "_fields": fields,
            "_compared": staticmethod(_values_of(compared)),
        }
        if is_compared:
            given |= {"__eq__": _eq, "__hash__": _hash if is_frozen else None}
        if is_frozen:
            given |= {"__setattr__": _no_setattr, "__delattr__": _no_delattr}
            is_plain = "__post_init__" not in kept and all(_is_given(default) for default in fields.values())
            if is_plain:
                given |= {"__reduce__": _reduce, "_all": staticmethod(_values_of(list(fields)))}
            else:
                given |= {"__getstate__": _getstate, "__setstate__": _setstate}
        made = type(cls)(cls.__name__, cls.__bases__, given | kept)
        made.__qualname__ = cls.__qualname__
        return made

    def _is_given(default: object) -> bool:
        """Whether a field is an argument of `__init__`."""
        return default.init if isinstance(default, dataclasses.Field) else True

    def _values_of(names: list[str]) -> Callable[[Any], tuple[object, ...]]:
        match names:
            case []:
                return lambda _made: ()
            case [name]:
                get = attrgetter(name)
                return lambda made: (get(made),)
            case _:
                return attrgetter(*names)

    class _Fields:
        """What `dataclasses.fields` reads, made by the standard library when somebody asks."""

        def __init__(self, cls: Class) -> None:
            self._cls = cls
            self._made: dict[str, dataclasses.Field[Any]] | None = None

        def __get__(self, _instance: object, _owner: Class) -> dict[str, dataclasses.Field[Any]]:
            if self._made is None:
                names = ("__annotations__", "__module__", *self._cls.__annotations__)
                copied = {name: vars(self._cls)[name] for name in names if name in vars(self._cls)}
                twin = type(self._cls.__name__, (), {"__doc__": "-", **copied})
                self._made = dataclasses.dataclass(init=False, repr=False, eq=False)(twin).__dataclass_fields__
            return self._made

    # ------------------------------------------------------------ the methods of all classes

    def _first_init(self: Any, *arguments: object, **named: object) -> None:
        cls = type(self)
        cls.__init__ = _written_init(cls)
        cls.__init__(self, *arguments, **named)

    def _written_init(cls: Class) -> Callable[..., None]:
        """`def __init__(self, name, other=default_other): ...`, which sets each slot."""
        scope: dict[str, Any] = {"MISSING": MISSING}
        given, lines = ["self"], []
        for name, field in cls._fields.items():
            is_field = isinstance(field, dataclasses.Field)
            default, make = (field.default, field.default_factory) if is_field else (field, MISSING)
            scope |= {f"set_{name}": getattr(cls, name).__set__, f"default_{name}": default, f"make_{name}": make}
            made = f"default_{name}" if make is MISSING else f"make_{name}()"
            if not _is_given(field):
                lines.append(f" set_{name}(self, {made})")
                continue
            is_optional = default is not MISSING or make is not MISSING
            given.append(f"{name}=default_{name}" if is_optional else name)
            lines.append(
                f" set_{name}(self, {name if make is MISSING else f'{made} if {name} is MISSING else {name}'})"
            )
        if hasattr(cls, "__post_init__"):
            lines.append(" self.__post_init__()")
        text = f"def __init__({', '.join(given)}):\n" + ("\n".join(lines) or " pass")
        exec(text, scope)  # noqa: S102 - as the standard library does; the names of fields are our own code
        written: Callable[..., None] = scope["__init__"]
        written.__qualname__ = f"{cls.__qualname__}.__init__"
        return written

    def _eq(self: Any, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self._compared(self) == self._compared(other)

    def _hash(self: Any) -> int:
        return hash(self._compared(self))

    def _repr(self: Any) -> str:
        named = [name for name, default in self._fields.items() if getattr(default, "repr", True) is not False]
        shown = [f"{name}={getattr(self, name)!r}" for name in named]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _no_setattr(self: Any, name: str, _value: object) -> None:  # noqa: ARG001 - Python's signature
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def _no_delattr(self: Any, name: str) -> None:  # noqa: ARG001 - Python's signature
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def _reduce(self: Any) -> tuple[Class, tuple[object, ...]]:
        """To be made again from its values: half of what it costs to set each in an empty one."""
        return type(self), self._all(self)

    def _getstate(self: Any) -> list[object]:
        return [getattr(self, name) for name in self.__slots__]

    def _setstate(self: Any, state: list[object]) -> None:
        for name, value in zip(self.__slots__, state, strict=True):
            object.__setattr__(self, name, value)
