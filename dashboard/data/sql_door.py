"""Which statements may go to the database at all: one plain read of the reporting schema.

The door keeps honest mistakes out and says why; what keeps the rest out is the role's own lack of rights.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import ParseError, TokenError

from core.errors_query import QueryRefused

# It would write what people ask into the log.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

DIALECT = "postgres"
SCHEMA = "reporting"
MAX_CHARACTERS = 20_000
_BLANKS = frozenset("\t\n\r")
_EXPLAIN_OPTIONS = frozenset({"ANALYZE", "ANALYSE", "VERBOSE"})


class Kind(StrEnum):
    """What a statement does."""

    READS = "reads"
    """SELECT, WITH, VALUES, TABLE: rows, through a cursor."""
    TELLS = "tells"
    """EXPLAIN, SHOW: a few lines."""


@dataclass(frozen=True)
class Admitted:
    """One statement.

    Attributes:
        text: it alone, without what stood around it.
        start: where it begins in what was written, in characters.
    """

    kind: Kind
    text: str
    start: int


def admit(written: str) -> Admitted:
    """The one statement in a text.

    Raises:
        QueryRefused: there is none, or more, or it is no read of the reporting schema.
    """
    _check_text(written)
    try:
        return _admit(written)
    except TokenError as error:
        raise QueryRefused("it ends within a quotation or a comment; close it") from error
    except ParseError as error:
        raise _unread(error) from error
    except RecursionError as error:
        raise QueryRefused("it is nested too deeply; write it flatter") from error


def _admit(written: str) -> Admitted:
    tokens = [token for token in sqlglot.tokenize(written, read=DIALECT) if token.token_type is not TokenType.SEMICOLON]
    statements = [
        found for found in sqlglot.parse(written, read=DIALECT) if found and not isinstance(found, exp.Semicolon)
    ]
    if len(statements) > 1:
        raise QueryRefused("{n} statements; give exactly one", n=len(statements))
    if not statements or not tokens:
        raise QueryRefused("there is no statement; write a SELECT")
    start, text = tokens[0].start, written[tokens[0].start : tokens[-1].end + 1]
    kind, tree = _kind(statements[0], tokens, written)
    if tree is not None:
        _check_tree(tree)
    return Admitted(kind, text, start)


def place(offset: int, written: str) -> dict[str, int]:
    """Where a character stands, as a person counts: its `line` and `column`, from 1 on."""
    before = written[: max(0, offset)]
    return {"line": before.count("\n") + 1, "column": len(before) - before.rfind("\n")}


def _check_text(written: str) -> None:
    if len(written) > MAX_CHARACTERS:
        raise QueryRefused("{n:,} characters; a statement may have {most:,}", n=len(written), most=MAX_CHARACTERS)
    for offset, character in enumerate(written):
        if (character < " " and character not in _BLANKS) or _is_half(character):
            raise QueryRefused(
                "a control character at line {line}, column {column}; write it as an escape", **place(offset, written)
            )


def _is_half(character: str) -> bool:
    """Whether it is half of a surrogate pair, which no database takes."""
    return "\ud800" <= character <= "\udfff"


def _unread(error: ParseError) -> QueryRefused:
    first = error.errors[0] if error.errors else {}
    said = str(first.get("description", "")).rstrip(".")
    line, column = first.get("line"), first.get("col")
    # The parser's own words for its parts tell a person nothing.
    is_told, is_placed = bool(said) and "<class" not in said, bool(line and column)
    if is_told and is_placed:
        return QueryRefused("{said} at line {line}, column {column}", said=said, line=line, column=column)
    if is_placed:
        return QueryRefused("something is missing at line {line}, column {column}", line=line, column=column)
    return QueryRefused("it cannot be read: {said}", said=said) if is_told else QueryRefused("something is missing")


def _kind(statement: exp.Expr, tokens: Sequence[Token], written: str) -> tuple[Kind, exp.Expr | None]:
    """What it does, and what it reads; SHOW reads no relation."""
    verb = tokens[0].text.upper()
    if isinstance(statement, exp.Query | exp.Values):
        return Kind.READS, statement
    if verb == "SHOW":
        return Kind.TELLS, None
    if verb == "EXPLAIN":
        return Kind.TELLS, _explained(tokens, written)
    raise QueryRefused("{verb} is not allowed here: only SELECT, WITH, EXPLAIN and SHOW are", verb=verb)


def _explained(tokens: Sequence[Token], written: str) -> exp.Expr:
    """What an EXPLAIN explains: its options stand in brackets, or are words of their own."""
    rest = iter(sqlglot.tokenize(written[tokens[0].end + 1 :], read=DIALECT))
    offset, depth = tokens[0].end + 1, 0
    for token in rest:
        is_bracket = token.token_type in (TokenType.L_PAREN, TokenType.R_PAREN)
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if not depth and not is_bracket and token.text.upper() not in _EXPLAIN_OPTIONS:
            found = sqlglot.parse_one(written[offset + token.start :].rstrip().rstrip(";"), read=DIALECT)
            if isinstance(found, exp.Query | exp.Values):
                return found
            raise QueryRefused("EXPLAIN of {what}: only a SELECT can be explained here", what=token.text.upper())
    raise QueryRefused("EXPLAIN of nothing; write a SELECT behind it")


def _check_tree(statement: exp.Expr) -> None:
    named = {found.alias.lower() for found in statement.find_all(exp.CTE)}
    if hidden := sorted(name for name in named if name.startswith("pg_")):
        raise QueryRefused(
            "WITH {name}: names that begin with pg_ are the server's own; choose another", name=hidden[0]
        )
    for node in statement.walk():
        _check(node, named)


def _check(node: exp.Expr, named: set[str]) -> None:
    if isinstance(node, exp.DML | exp.DDL) and not isinstance(node, exp.Query):
        raise QueryRefused("WITH holds {verb}: nothing can be written here", verb=node.key.upper())
    if isinstance(node, exp.Into):
        raise QueryRefused("SELECT INTO makes a table: nothing can be written here")
    if isinstance(node, exp.Lock):
        raise QueryRefused("FOR UPDATE and FOR SHARE lock rows: nothing can be locked here")
    if isinstance(node, exp.Parameter | exp.Placeholder):
        raise QueryRefused(
            "{parameter}: there are no parameters here; write the value itself", parameter=node.sql(DIALECT)
        )
    if isinstance(node, exp.Command):
        raise QueryRefused("a part of it cannot be read; write it plainer")
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        _check_relation(node, named)


def _check_relation(relation: exp.Table, named: set[str]) -> None:
    if not relation.catalog and relation.db.lower() == SCHEMA:
        return
    name = relation.name.lower()
    if not relation.db and (name in named or not name.startswith("pg_")):
        return
    whole = ".".join(part for part in (relation.catalog, relation.db, relation.name) if part)
    raise QueryRefused(
        "{name} is outside of the schema {schema}: only what it holds can be read here", name=whole, schema=SCHEMA
    )
