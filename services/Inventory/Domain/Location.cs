using System.Text.RegularExpressions;

namespace OrderInventory.Inventory.Domain;

/// <summary>A place where stock lies: a warehouse, a shop. Its code is its name in every ledger row and never changes.</summary>
internal sealed partial class Location
{
    /// <summary>Every change of stock by a person keeps all locations from being deleted meanwhile, so there is a limit to them.</summary>
    public const int MaxCount = 200;

    public required string Code { get; init; }

    /// <summary>What the Idempotency-Key of the request that made it points to.</summary>
    public Guid Id { get; init; }

    public required string Name { get; set; }

    /// <summary>Orders are served from the lowest number first.</summary>
    public int Priority { get; set; }

    /// <summary>Nothing new is promised from an inactive location; what is promised already is still shipped from it.</summary>
    public bool Active { get; set; } = true;

    public long Version { get; set; } = 1;
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; set; }

    /// <summary>True when something is another than before.</summary>
    public bool Change(string name, int priority, bool active, DateTimeOffset now)
    {
        if (name == Name && priority == Priority && active == Active)
        {
            return false;
        }

        (Name, Priority, Active, UpdatedAt) = (name, priority, active, now > UpdatedAt ? now : UpdatedAt);
        Version++;
        return true;
    }

    /// <summary>A code is lower case, so that two spellings are not two places.</summary>
    public static bool IsCode(string? code) => code is not null && CodePattern().IsMatch(code);

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,49}\z")]
    private static partial Regex CodePattern();
}
