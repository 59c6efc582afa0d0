namespace OrderInventory.ServiceDefaults.Identity;

/// <summary>The roles that a token may name. Any other value in its role claim is ignored.</summary>
public static class Roles
{
    /// <summary>A customer: sees and changes only the data of the customer that the token names.</summary>
    public const string Customer = "customer";

    /// <summary>Customer support: orders and customers, but not the warehouse's steps of an order.</summary>
    public const string Support = "support";

    /// <summary>The warehouse: stock, and shipping, delivery and returns of orders.</summary>
    public const string InventoryManager = "inventory-manager";

    /// <summary>The catalogue: products.</summary>
    public const string CatalogManager = "catalog-manager";

    /// <summary>Everything that a person may do.</summary>
    public const string Admin = "admin";

    /// <summary>A service of this system, for calls between services.</summary>
    public const string Service = "service";
}
