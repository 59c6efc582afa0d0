using System.Security.Claims;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Console.Access;

/// <summary>Which roles see what: the same roles as in the API's policies, which decide. Hiding what would be refused is only a courtesy.</summary>
internal static class Permissions
{
    public static bool Has(ClaimsPrincipal user, Policy policy) => policy.Roles.Any(user.IsInRole);
}
