using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Identity;

/// <summary>The people of the demo shop. Each is both a client, for scripts, and a person who signs in, with the same secret.</summary>
internal sealed class People(IOptions<IdentityOptions> options)
{
    /// <summary>Acts for the customer that the request names.</summary>
    public const string Customer = "demo-customer";

    /// <summary>Their roles, by name.</summary>
    public static readonly IReadOnlyDictionary<string, string> All = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["demo-admin"] = Roles.Admin,
        ["demo-support"] = Roles.Support,
        ["demo-warehouse"] = Roles.InventoryManager,
        ["demo-catalog"] = Roles.CatalogManager,
        [Customer] = Roles.Customer,
    };

    public bool Authenticates(string name, string secret) => All.ContainsKey(name)
        && options.Value.Secrets.TryGetValue(name, out var known)
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(known));
}
