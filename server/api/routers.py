"""All routers of the API, in the order of its document."""

from fastapi import APIRouter

from server.api import (
    assets,
    books,
    claims,
    coupon_budgets,
    creators,
    effects,
    guest_tickets,
    health,
    inbox,
    invoices,
    lobby,
    orders,
    packet_list,
    packets,
    permissions,
    previews,
    products,
    profiles,
    revocations,
    rooms,
    rulebooks,
    texts,
    tickets,
    timeline,
    trail,
    viewer_orders,
    withdrawals,
    won_packets,
)

PUBLIC_ROUTERS: tuple[APIRouter, ...] = (health.router, lobby.router, texts.router, guest_tickets.router)
"""The routers that need no credential."""

ROUTERS: tuple[APIRouter, ...] = (
    creators.router,
    permissions.router,
    profiles.router,
    withdrawals.router,
    coupon_budgets.router,
    invoices.router,
    rooms.router,
    tickets.router,
    revocations.router,
    previews.router,
    packets.router,
    packet_list.router,
    claims.router,
    timeline.router,
    products.router,
    effects.router,
    rulebooks.router,
    assets.router,
    won_packets.router,
    orders.router,
    viewer_orders.router,
    trail.router,
    inbox.router,
    books.router,
)
"""All others, each of whose routes declares who may call it."""
