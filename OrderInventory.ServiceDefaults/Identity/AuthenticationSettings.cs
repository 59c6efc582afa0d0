namespace OrderInventory.ServiceDefaults.Identity;

/// <summary>Whose tokens are believed, and how they are read: the section <c>Authentication</c>. Any OpenID Connect provider serves.</summary>
public sealed class AuthenticationSettings
{
    /// <summary>The issuer, as the tokens' <c>iss</c> names it. Without one nobody gets in.</summary>
    public string? Authority { get; set; }

    /// <summary>Where the discovery document is, when the services reach the provider by another address than its callers do; else below the authority.</summary>
    public string? MetadataAddress { get; set; }

    /// <summary>What a token's <c>aud</c> must have among its values.</summary>
    public string Audience { get; set; } = "order-inventory";

    /// <summary>The claim with the roles, one or several.</summary>
    public string RoleClaim { get; set; } = "roles";

    /// <summary>The claim with the id of the customer that a token of the role <c>customer</c> is about.</summary>
    public string CustomerIdClaim { get; set; } = "customer_id";

    /// <summary>How often at most the keys are asked for because a token names an unknown one. A caller who makes up names costs the provider no more.</summary>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How this service asks for its own tokens, to call others: client credentials (RFC 6749, section 4.4).</summary>
    public string? ClientId { get; set; }

    public string? ClientSecret { get; set; }

    /// <summary>What it asks for with them, where the provider wants to be asked.</summary>
    public string? Scope { get; set; }

    /// <summary>The discovery document's address, or null without an authority.</summary>
    public string? Discovery => MetadataAddress is { Length: > 0 } address ? address
        : Authority is { Length: > 0 } authority ? authority.TrimEnd('/') + "/.well-known/openid-configuration"
        : null;
}
