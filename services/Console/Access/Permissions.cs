using System.Security.Claims;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Console.Access;

/// <summary>What is shown to whom: the same roles as the API's policies, which decide. Hiding what would be refused is a courtesy.</summary>
internal static class Permissions
{
    public static bool Has(ClaimsPrincipal user, Policy policy) => policy.Roles.Any(user.IsInRole);
}
