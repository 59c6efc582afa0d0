namespace OrderInventory.AppHost.Demo;

/// <summary>A small invented shop.</summary>
internal static class DemoCatalogue
{
    public static readonly DemoProduct[] Products =
    [
        new("TEA-001", "Harbour Breakfast", "Black tea, 20 bags", "beverages", 4.90m, 120, 20),
        new("TEA-002", "Quiet Evening", "Camomile and mint, 20 bags", "beverages", 5.40m, 80, 15),
        new("COF-001", "Northern Roast", "Whole beans, 500 g", "beverages", 11.50m, 60, 10),
        new("COF-002", "Lighthouse Espresso", "Whole beans, 1 kg", "beverages", 21.00m, 35, 8),
        new("CHO-001", "Sea Salt Dark", "Chocolate, 70 % cocoa, 100 g", "sweets", 3.80m, 200, 30),
        new("CHO-002", "Hazelnut Square", "Milk chocolate, 250 g", "sweets", 6.20m, 90, 15),
        new("JAM-001", "Rhubarb and Ginger", "Jam, 340 g", "pantry", 5.10m, 48, 10),
        new("HON-001", "Heather Honey", "Jar, 500 g", "pantry", 9.80m, 30, 8),
        new("OIL-001", "Green Valley Olive Oil", "Extra virgin, 750 ml", "pantry", 14.60m, 42, 10),
        new("MUG-001", "Stoneware Mug", "Hand-glazed, 300 ml", "kitchen", 16.00m, 25, 5),
        new("POT-001", "Cast Iron Teapot", "With strainer, 0.8 l", "kitchen", 39.00m, 9, 4),
        new("BOX-001", "Gift Box", "One of everything small", "gifts", 29.50m, 5, 2),
    ];

    public static readonly DemoCustomer[] Customers =
    [
        new("Ada Nordström", "ada@example.com", "+46 8 555 0101"),
        new("Bruno Castell", "bruno@example.com", "+34 93 555 0102"),
        new("Chiyo Tanabe", "chiyo@example.com", "+81 3 5550 0103"),
        new("Dominik Vogel", "dominik@example.com", "+49 30 555 0104"),
        new("Esi Mensah", "esi@example.com", "+233 30 255 0105"),
    ];

    /// <summary>Customer, then SKU and quantity of each line. The last order requests more gift boxes than are in stock.</summary>
    public static readonly DemoOrder[] Orders =
    [
        new("ada@example.com", [("TEA-001", 2), ("MUG-001", 1)]),
        new("bruno@example.com", [("COF-002", 3), ("CHO-001", 6), ("OIL-001", 1)]),
        new("chiyo@example.com", [("POT-001", 6)]),
        new("dominik@example.com", [("BOX-001", 2), ("HON-001", 2)]),
        new("esi@example.com", [("BOX-001", 8)]),
    ];
}

internal sealed record DemoProduct(string Sku, string Name, string Description, string Category, decimal Price, int OnHand, int LowStockThreshold);

internal sealed record DemoCustomer(string Name, string Email, string Phone);

internal sealed record DemoOrder(string Customer, (string Sku, int Quantity)[] Lines);
