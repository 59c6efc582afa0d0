namespace OrderInventory.ServiceDefaults.Identity;

/// <summary>The roles that a token may name. Any other word in its role claim is ignored.</summary>
public static class Roles
{
    /// <summary>A customer: sees and changes what belongs to the customer that the token names, and nothing else.</summary>
    public const string Customer = "customer";

    /// <summary>Customer support: orders and customers, but not the warehouse's part of an order.</summary>
    public const string Support = "support";

    /// <summary>The warehouse: stock, and shipping, delivery and returns of orders.</summary>
    public const string InventoryManager = "inventory-manager";

    /// <summary>The catalogue: products.</summary>
    public const string CatalogManager = "catalog-manager";

    /// <summary>Everything that a person may do.</summary>
    public const string Admin = "admin";

    /// <summary>A service of this system: what one service asks of another.</summary>
    public const string Service = "service";
}
