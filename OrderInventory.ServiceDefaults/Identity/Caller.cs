using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.ServiceDefaults.Identity;

/// <summary>Who calls, as the token says and the endpoint's policy sees it. A use case takes it as a parameter.</summary>
/// <param name="Sub">The token's subject; what an Idempotency-Key belongs to and an audit names.</param>
/// <param name="Role">The role by which the caller may: the first of the policy's that the token has.</param>
/// <param name="OnlyCustomer">The one customer whose data the caller may see and change here; null for staff and services.</param>
public sealed record Caller(string Sub, string Role, Guid? OnlyCustomer)
{
    /// <summary>What belongs to <paramref name="customer"/> is this caller's to see. What is not is answered as if it were not there.</summary>
    public bool MaySee(Guid? customer) => OnlyCustomer is not { } own || customer == own;

    /// <summary>A space of this caller's Idempotency-Keys, for what is made as a part of something. A subject has no line break.</summary>
    public string KeysOf(string what) => $"{Sub}\n{what}";

    /// <summary>Read from the request's token by the framework; the endpoint has a policy, which has let the caller in.</summary>
    public static ValueTask<Caller> BindAsync(HttpContext http)
    {
        var policy = (http.GetEndpoint() is { } endpoint ? Policies.Of(endpoint) : null)
            ?? throw new InvalidOperationException("The endpoint has no policy, so nobody knows who calls.");
        var claims = http.RequestServices.GetRequiredService<IOptions<AuthenticationSettings>>().Value;
        return ValueTask.FromResult(Of(http.User, policy, claims)
            ?? throw new InvalidOperationException("The endpoint's policy has let somebody in without one of its roles."));
    }

    /// <summary>The caller as a policy sees them; null when they have none of its roles.</summary>
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

            // Without the customer that it is about, the role is worth nothing.
            if (Guid.TryParseExact(user.FindFirst(claims.CustomerIdClaim)?.Value, "D", out var customer))
            {
                return new(sub, role, customer);
            }
        }

        return null;
    }
}
