using System.Text.RegularExpressions;

namespace OrderInventory.Inventory.Domain;

/// <summary>A place where stock is kept: a warehouse, a shop. Its code identifies it in every ledger row and never changes.</summary>
internal sealed partial class Location
{
    /// <summary>
    /// Maximum number of locations. They are limited because every change of stock by a person locks all of them against deletion.
    /// </summary>
    public const int MaxCount = 200;

    public required string Code { get; init; }

    /// <summary>The id that the Idempotency-Key of the creating request refers to.</summary>
    public Guid Id { get; init; }

    public required string Name { get; set; }

    /// <summary>Orders are served from the lowest number first.</summary>
    public int Priority { get; set; }

    /// <summary>Nothing new is promised from an inactive location; what is promised already is still shipped from it.</summary>
    public bool Active { get; set; } = true;

    public long Version { get; set; } = 1;
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; set; }

    /// <summary>Returns true when something has changed.</summary>
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

    /// <summary>Whether the text is a valid code. Codes are lower case, so that two spellings cannot be two places.</summary>
    public static bool IsCode(string? code) => code is not null && CodePattern().IsMatch(code);

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,49}\z")]
    private static partial Regex CodePattern();
}
