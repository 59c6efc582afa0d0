namespace OrderInventory.Customers.Domain;

/// <summary>A customer's addresses, oldest first. Immutable: each change creates a new book.</summary>
internal sealed class AddressBook : IEquatable<AddressBook>
{
    public const int MaxAddresses = 20;

    public static readonly AddressBook Empty = new([]);

    private AddressBook(IReadOnlyList<Address> addresses) => Addresses = addresses;

    public IReadOnlyList<Address> Addresses { get; }

    public bool IsFull => Addresses.Count >= MaxAddresses;

    public static AddressBook Of(IReadOnlyList<Address> addresses) => new(addresses);

    public Address? Find(Guid id) => Addresses.FirstOrDefault(a => a.Id == id);

    /// <summary>Adds an address. The first one is always the default.</summary>
    public AddressBook With(Address address)
    {
        if (IsFull)
        {
            throw new InvalidOperationException($"There are {MaxAddresses} addresses already.");
        }

        return Settle([.. Addresses, address], address.Default ? address.Id : null);
    }

    /// <summary>Replaces an address. It can become the default; it stops being the default only when another address becomes it.</summary>
    public AddressBook Replace(Address address)
    {
        var before = Find(address.Id) ?? throw new InvalidOperationException($"There is no address {address.Id}.");
        return Settle([.. Addresses.Select(a => a.Id == address.Id ? address with { Default = before.Default } : a)], address.Default ? address.Id : null);
    }

    /// <summary>Removes an address. If it was the default, the oldest remaining address becomes the default.</summary>
    public AddressBook Without(Guid id) => Settle([.. Addresses.Where(a => a.Id != id)], null);

    public bool Equals(AddressBook? other) => other is not null && Addresses.SequenceEqual(other.Addresses);

    public override bool Equals(object? obj) => Equals(obj as AddressBook);

    public override int GetHashCode() => Addresses.Count == 0 ? 0 : HashCode.Combine(Addresses.Count, Addresses[0]);

    private static AddressBook Settle(List<Address> addresses, Guid? wanted)
    {
        var chosen = wanted ?? addresses.Find(a => a.Default)?.Id ?? addresses.FirstOrDefault()?.Id;
        return new(addresses.ConvertAll(a => a with { Default = a.Id == chosen }));
    }
}
