"""A shop and its visitors: some products are looked at far more than others, some are changed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Select, bindparam, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from examples.query_cache.query_cache import Cached

__all__ = ["STATEMENTS", "Base", "Product", "Question", "Review", "fill", "questions"]

PRODUCTS = 2_000
REVIEWS = 20_000


class Base(DeclarativeBase):
    """Of the shop's tables."""


class Product(Base):
    """What is sold."""

    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    shelf: Mapped[int] = mapped_column(index=True)
    name: Mapped[str]
    cents: Mapped[int]


class Review(Base):
    """What a buyer says of it."""

    __tablename__ = "review"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    stars: Mapped[int]


@dataclass(frozen=True)
class Question:
    """What is asked for: a kind of page, and of which product; or a new price."""

    kind: str
    product: int


def pages(of: ColumnElement[bool]) -> Select[str, int, Any]:
    """Name, price and mean of the stars of these products."""
    stars = func.coalesce(func.avg(Review.stars), 0).label("stars")
    asked = select(Product.name, Product.cents, stars).where(of)
    reviewed = asked.outerjoin(Review, Review.product_id == Product.id)
    return reviewed.group_by(Product.id).order_by(Product.id).options(Cached())


#: The SQL of each kind of page, with its parameter ``product``.
STATEMENTS = {
    "page": pages(Product.id == bindparam("product")),
    "shelf": pages(Product.shelf == bindparam("product") % 50),
}


def fill(session: Session, seed: int) -> None:
    """Products and reviews, the same for a seed."""
    drawn = random.Random(seed)
    session.add_all(
        Product(id=number, shelf=number % 50, name=f"product {number}", cents=drawn.randrange(9999))
        for number in range(PRODUCTS)
    )
    session.flush()
    session.bulk_insert_mappings(
        Review.__mapper__,
        [
            {"product_id": drawn.randrange(PRODUCTS), "stars": drawn.randint(1, 5)}
            for _ in range(REVIEWS)
        ],
    )
    session.commit()


def questions(count: int, seed: int, writes: float) -> Iterator[Question]:
    """So many questions by a power law, of which this share is a new price."""
    drawn = random.Random(seed)
    for _ in range(count):
        product = int(PRODUCTS ** drawn.random()) - 1
        if drawn.random() < writes:
            yield Question("price", product)
        else:
            yield Question("shelf" if drawn.random() < 0.2 else "page", product)
