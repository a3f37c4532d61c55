/// A shop that ships the third item of an order that has two.
struct Order {
    var number: Int
    var items: [String]
}

func label(for order: Order) -> String {
    "\(order.items[2]) of order \(order.number)"
}

func ship(_ orders: [Order]) {
    for order in orders { print("shipping", label(for: order)) }
}

ship([Order(number: 4711, items: ["lamp", "table"])])
