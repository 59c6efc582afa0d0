using System.ComponentModel.DataAnnotations;

namespace OrderInventory.Identity;

/// <summary>The section <c>Identity</c>, which the AppHost fills at each start.</summary>
internal sealed class IdentityOptions
{
    /// <summary>The <c>iss</c> of every token: the gateway's address, whichever way a caller comes.</summary>
    [Required]
    public required Uri Issuer { get; init; }

    /// <summary>Where the keys are kept; without it they are made anew at each start, and tokens of before are worth nothing.</summary>
    public string? KeysPath { get; init; }

    /// <summary>The secret of each client of <see cref="People"/>, <see cref="SeedClients.Services"/> and the console, by its id.</summary>
    [Required]
    public required Dictionary<string, string> Secrets { get; init; }

    /// <summary>Addresses that a page may be sent back to after a person has signed in, by the client's id.</summary>
    public Dictionary<string, string[]> Pages { get; init; } = [];
}
