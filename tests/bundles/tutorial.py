"""The tutorial's bundle, typed as the documentation has it, for tests that need a whole bundle."""

HEAD = """\
# ecommerce/bundle.yaml
name: ecommerce
description: E-commerce platform with catalog, cart, orders, and payments
services:
  - path: catalog/catalog-service.yaml
  - path: order/order-service.yaml
"""
CATALOG = """\
name: catalogService
description: Manages product catalog and inventory

goals:
  - name: HighAvailability
    metrics:
      - signal: catalogHealth
        type: availability
        goal: uptime
        threshold: 0.99
        delay: 0
        window: 60

intents:
  - name: syncInventory
    whenSensor: inventoryChange
    toFunc: wasm:catalog:updateInventoryCache
    primitiveIntent: stateMutation
    cooldown: 5s

api:
  basePath: "/api/v1/catalog"
  endpoints:
    - name: listProducts
      method: GET
      path: "/products"
      to: "wasm:catalog:listProducts"
    - name: getProduct
      method: GET
      path: "/products/:id"
      to: "wasm:catalog:getProductById"
    - name: searchProducts
      method: GET
      path: "/products/search"
      to: "wasm:catalog:searchProducts"
"""
ORDER = """\
name: orderService
goals:
  - name: OrderFulfillment
    metrics:
      - {signal: orderProcessing, type: latency, goal: fastProcessing, threshold: 5000, delay: 0, window: 60}
intents:
  - name: processOrder
    whenSensor: newOrder
    toFunc: wasm:orders:processNewOrder
    primitiveIntent: workflow
    retries: 3
    expectedDuration: 30s
api:
  basePath: "/api/v1/orders"
  endpoints:
    - {name: createOrder, method: POST, path: "/", to: "wasm:order:createOrder"}
    - {name: getOrder, method: GET, path: "/:orderId", to: "wasm:order:getOrder"}
"""


def files(**changed: str) -> dict[str, bytes]:
    """The bundle; `head`, `catalog` and `order` replace its files."""
    texts = {
        "bundle.yaml": changed.get("head", HEAD),
        "catalog/catalog-service.yaml": changed.get("catalog", CATALOG),
        "order/order-service.yaml": changed.get("order", ORDER),
    }
    return {path: text.encode() for path, text in texts.items()} | {
        "wasm/catalog.wasm": b"\0asm",
        "wasm/order.wasm": b"\0asm",
    }
