"""The shop: pages and an API over PostgreSQL, whose answers say how long they hold.

What may be kept says so by CDN-Cache-Control, which is the proxy's alone (RFC 9213): five minutes,
and a while longer behind a client's back or where the shop is down. Browsers are told to ask each
time and have an ETag to ask with. Every answer is in groups (RFC 9875): its product, its shelf. A
write answers with the groups that it has made old, and the proxy lets go of them; nobody has to
know which pages those are. What is a visitor's own is never kept.
"""

import hashlib
import html
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.query_cache.shop import Product, Review

__all__ = ["shop"]

FOR_BROWSERS = "no-cache"
FOR_PROXIES = "max-age=300, stale-while-revalidate=30, stale-if-error=3600"


def kept(request: Request, body: str, kind: str, groups: Iterable[str]) -> Response:
    """An answer that may be kept, or that the client has it already."""
    etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'
    fields = {
        "Cache-Control": FOR_BROWSERS,
        "CDN-Cache-Control": FOR_PROXIES,
        "Cache-Groups": ", ".join(f'"{group}"' for group in groups),
        "ETag": etag,
    }
    if request.headers.get("If-None-Match") == etag:
        return Response(status_code=304, headers=fields)
    return Response(body, media_type=kind, headers=fields)


def written(groups: Iterable[str]) -> Response:
    """The answer to a write: which groups it has made old."""
    named = ", ".join(f'"{group}"' for group in groups)
    return Response(status_code=204, headers={"Cache-Group-Invalidation": named})


class Shop:
    """The shop's answers.

    Args:
        engine: Its database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def product(self, request: Request) -> Response:
        """A page about a product."""
        found = self._product(request.path_params["product"])
        if found is None:
            return Response("no such product", 404, media_type="text/plain")
        name, price = html.escape(found["name"]), found["cents"] / 100
        body = (
            f"<!doctype html><title>{name}</title><h1>{name}</h1><p>{price:.2f}</p>"
            f"<p>{found['stars']:.1f} stars of {found['reviews']} buyers</p>"
            f'<a href="/shelves/{found["shelf"]}">more like it</a>'
        )
        return kept(request, body, "text/html", self._groups(found))

    def api_product(self, request: Request) -> Response:
        """The same for programs."""
        found = self._product(request.path_params["product"])
        if found is None:
            return JSONResponse({"error": "no such product"}, 404)
        body = JSONResponse(found).body
        return kept(request, bytes(body).decode(), "application/json", self._groups(found))

    def shelf(self, request: Request) -> Response:
        """All products of a shelf."""
        shelf = request.path_params["shelf"]
        with Session(self._engine) as session:
            asked = select(Product.id, Product.name, Product.cents)
            found = session.execute(asked.where(Product.shelf == shelf).order_by(Product.id)).all()
        items = "".join(
            f'<li><a href="/products/{number}">{html.escape(name)}</a> {cents / 100:.2f}'
            for number, name, cents in found
        )
        body = f"<!doctype html><title>shelf {shelf}</title><ul>{items}</ul>"
        return kept(request, body, "text/html", [f"shelf-{shelf}"])

    async def price(self, request: Request) -> Response:
        """A new price: the product's pages and its shelf are old."""
        number, cents = request.path_params["product"], int((await request.body()).decode())
        with Session(self._engine) as session:
            session.execute(update(Product).where(Product.id == number).values(cents=cents))
            session.commit()
        return self._changed(number)

    async def review(self, request: Request) -> Response:
        """A review: the product's pages are old."""
        number, stars = request.path_params["product"], int((await request.body()).decode())
        with Session(self._engine) as session:
            session.execute(insert(Review).values(product_id=number, stars=stars))
            session.commit()
        return written([f"product-{number}"])

    def cart(self, request: Request) -> Response:
        """What is this visitor's alone."""
        visitor = request.cookies.get("visitor", "nobody")
        fields = {"Cache-Control": "private, no-store"}
        return Response(f"the cart of {html.escape(visitor)}", headers=fields)

    def _product(self, number: int) -> dict[str, Any] | None:
        with Session(self._engine) as session:
            product = session.get(Product, number)
            if product is None:
                return None
            asked = select(func.avg(Review.stars), func.count()).where(Review.product_id == number)
            stars, reviews = session.execute(asked).one()
            return {
                "id": product.id,
                "name": product.name,
                "shelf": product.shelf,
                "cents": product.cents,
                "stars": round(float(stars or 0), 2),
                "reviews": reviews,
            }

    def _groups(self, found: dict[str, Any]) -> list[str]:
        return [f"product-{found['id']}"]

    def _changed(self, number: int) -> Response:
        with Session(self._engine) as session:
            shelf = session.execute(select(Product.shelf).where(Product.id == number)).scalar_one()
        return written([f"product-{number}", f"shelf-{shelf}"])


def shop(engine: Engine) -> Starlette:
    """The application."""
    made = Shop(engine)
    pages: list[tuple[str, Callable[..., Any], str]] = [
        ("/products/{product:int}", made.product, "GET"),
        ("/api/products/{product:int}", made.api_product, "GET"),
        ("/shelves/{shelf:int}", made.shelf, "GET"),
        ("/products/{product:int}/price", made.price, "PUT"),
        ("/products/{product:int}/reviews", made.review, "POST"),
        ("/cart", made.cart, "GET"),
    ]
    return Starlette(
        routes=[Route(path, answer, methods=[method]) for path, answer, method in pages]
    )
