using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.ServiceDefaults.Identity;

/// <summary>The caller, from the token and the endpoint's policy. A use case takes it as a parameter.</summary>
/// <param name="Sub">The token's subject: the owner of an Idempotency-Key, and the name in the audit.</param>
/// <param name="Role">The role that permits the call: the first of the policy's roles that the token has.</param>
/// <param name="OnlyCustomer">The one customer whose data the caller may see and change here; null for staff and services.</param>
public sealed record Caller(string Sub, string Role, Guid? OnlyCustomer)
{
    /// <summary>Whether this caller may see data of <paramref name="customer"/>. Other data is answered as if it did not exist.</summary>
    public bool MaySee(Guid? customer) => OnlyCustomer is not { } own || customer == own;

    /// <summary>A separate key space of this caller's Idempotency-Keys, for parts of <paramref name="what"/>. A subject has no line break.</summary>
    public string KeysOf(string what) => $"{Sub}\n{what}";

    /// <summary>Reads the caller from the request's token; called by the framework. The endpoint's policy has already permitted the call.</summary>
    public static ValueTask<Caller> BindAsync(HttpContext http)
    {
        var policy = (http.GetEndpoint() is { } endpoint ? Policies.Of(endpoint) : null)
            ?? throw new InvalidOperationException("The endpoint has no policy, so its callers are not authenticated.");
        var claims = http.RequestServices.GetRequiredService<IOptions<AuthenticationSettings>>().Value;
        return ValueTask.FromResult(Of(http.User, policy, claims)
            ?? throw new InvalidOperationException("The endpoint's policy has admitted a caller without any of its roles."));
    }

    /// <summary>The caller for a policy; null when the token has none of its roles.</summary>
    internal static Caller? Of(ClaimsPrincipal user, Policy policy, AuthenticationSettings claims)
    {
        if (user.FindFirst("sub")?.Value is not { } sub)
        {
            return null;
        }

        foreach (var role in policy.Roles)
        {
            if (!user.HasClaim(claims.RoleClaim, role))
            {
                continue;
            }

            if (role != Roles.Customer)
            {
                return new(sub, role, null);
            }

            // The role is valid only with a customer id.
            if (Guid.TryParseExact(user.FindFirst(claims.CustomerIdClaim)?.Value, "D", out var customer))
            {
                return new(sub, role, customer);
            }
        }

        return null;
    }
}
