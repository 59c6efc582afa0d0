namespace OrderInventory.ServiceDefaults.Identity;

/// <summary>Whose tokens are accepted, and how they are read: the section <c>Authentication</c>. Any OpenID Connect provider works.</summary>
public sealed class AuthenticationSettings
{
    /// <summary>The issuer, as in the tokens' <c>iss</c>. Without it all callers are refused.</summary>
    public string? Authority { get; set; }

    /// <summary>
    /// The discovery document's address, if the services reach the provider by another address than its callers; by default below the authority.
    /// </summary>
    public string? MetadataAddress { get; set; }

    /// <summary>The value that a token's <c>aud</c> must contain.</summary>
    public string Audience { get; set; } = "order-inventory";

    /// <summary>The claim with the roles, one or several.</summary>
    public string RoleClaim { get; set; } = "roles";

    /// <summary>The claim with the customer id of a token with the role <c>customer</c>.</summary>
    public string CustomerIdClaim { get; set; } = "customer_id";

    /// <summary>
    /// The shortest time between two requests for keys that tokens with unknown key ids cause. This limits the load that invented ids cause.
    /// </summary>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The client id with which this service requests its own tokens, to call other services: client credentials (RFC 6749, section 4.4).
    /// </summary>
    public string? ClientId { get; set; }

    public string? ClientSecret { get; set; }

    /// <summary>The scope to request, where the provider needs one.</summary>
    public string? Scope { get; set; }

    /// <summary>The discovery document's address, or null without an authority.</summary>
    public string? Discovery => MetadataAddress is { Length: > 0 } address ? address
        : Authority is { Length: > 0 } authority ? authority.TrimEnd('/') + "/.well-known/openid-configuration"
        : null;
}
