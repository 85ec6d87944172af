"""The list of lessons as a document: what is typed, and the question that it answers."""

from __future__ import annotations

from chainrule.document import Code, Column, Document, Listing, Row, Table
from chainrule.lessons.shelf import every


def overview() -> Document:
    """All lessons in the order in which to read them."""
    lessons = tuple(every())
    columns = (Column("lesson", heading=True), Column("question"))
    rows = tuple(Row((Code(each.name), each.question)) for each in lessons)
    return Document(
        "Lessons",
        (Table(columns, rows, name="lessons"), Listing((f"chainrule lesson {lessons[0].name}",), name="next")),
        context=f"{len(lessons)} in the order in which to read them",
        name="lessons",
        data={"lessons": [{"name": each.name, "title": each.title, "question": each.question} for each in lessons]},
    )
