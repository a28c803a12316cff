"""Pages of the market floor."""

from django.urls import path

from market import views, views_reserve, views_spend

app_name = "market"
urlpatterns = [
    path("market", views.market, name="market"),
    path("market/live", views.live, name="live"),
    path("market/bidding", views.bidding, name="bidding"),
    path("market/cost", views.cost, name="cost"),
    path("market/tiles", views.tiles, name="tiles"),
    path("market/reserve", views_reserve.reserve, name="reserve"),
    path("bundles/<uuid:id>/spend", views_spend.spend, name="spend"),
    path("market/reservations/<uuid:id>/cancel", views_reserve.cancel, name="cancel"),
]
