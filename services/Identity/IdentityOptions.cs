using System.ComponentModel.DataAnnotations;

namespace OrderInventory.Identity;

/// <summary>The section <c>Identity</c>, which the AppHost sets at each start.</summary>
internal sealed class IdentityOptions
{
    /// <summary>The <c>iss</c> of every token: the gateway's address, whichever address a caller used.</summary>
    [Required]
    public required Uri Issuer { get; init; }

    /// <summary>The folder of the keys. Without it, each start makes new keys, and earlier tokens become invalid.</summary>
    public string? KeysPath { get; init; }

    /// <summary>The secret of each client of <see cref="People"/>, <see cref="SeedClients.Services"/> and the console, by its id.</summary>
    [Required]
    public required Dictionary<string, string> Secrets { get; init; }

    /// <summary>Addresses to which a person may be redirected after signing in or out, by client id.</summary>
    public Dictionary<string, string[]> Pages { get; init; } = [];
}
