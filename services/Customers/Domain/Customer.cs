using OrderInventory.Contracts.Customers;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Customers.Domain;

/// <summary>What a customer tells about herself.</summary>
internal sealed record CustomerDetails(string Name, string Email, string? Phone, string Language, ContactChannels Channels);

/// <summary>Somebody who can order. The only place of the system where their name and addresses are at home: events carry none of them.</summary>
internal sealed class Customer
{
    /// <summary>Mail, because the address is the one thing that every customer has given.</summary>
    public static readonly ContactChannels DefaultChannels = new(Email: true, Sms: false, Webhook: false);

    public const string DefaultLanguage = "en";

    private Customer()
    {
    }

    public Guid Id { get; private init; }

    /// <summary>Null once erased; so are e-mail and phone, and there are no addresses.</summary>
    public string? Name { get; private set; }

    public string? Email { get; private set; }

    /// <summary>What no two customers share; see <see cref="ToEmailKey"/>.</summary>
    public string? EmailKey { get; private set; }

    public string? Phone { get; private set; }
    public AddressBook Addresses { get; private set; } = AddressBook.Empty;

    /// <summary>
    /// Name, e-mail, phone and cities in lower case, a line each: what a search looks into. Kept here for the same reason as
    /// <see cref="EmailKey"/>.
    /// </summary>
    public string? SearchKey { get; private set; }

    public string Language { get; private set; } = DefaultLanguage;
    public ContactChannels Channels { get; private set; } = DefaultChannels;
    public CustomerStatus Status { get; private set; }
    public long Version { get; private set; }
    public DateTimeOffset CreatedAt { get; private init; }
    public DateTimeOffset UpdatedAt { get; private set; }

    public static Customer Create(CustomerDetails details, DateTimeOffset now)
    {
        var customer = new Customer { Id = Guid.CreateVersion7(now), Status = CustomerStatus.Active, Version = 1, CreatedAt = now, UpdatedAt = now };
        customer.Apply(details);
        return customer;
    }

    /// <summary>By the same rules everywhere: what <c>lower()</c> does to letters beyond ASCII depends on each database's collation.</summary>
    public static string ToEmailKey(string email) => EmailAddress.ToKey(email);

    /// <summary>Text as <see cref="SearchKey"/> has it.</summary>
    public static string ToSearchKey(string text) => Nfc.Normalize(text.ToLowerInvariant());

    /// <summary>Sets all that can be set. False when it is as it was: no new version, nothing to tell.</summary>
    public bool Change(CustomerDetails details, DateTimeOffset now)
    {
        ThrowIfErased();
        if (details == new CustomerDetails(Name!, Email!, Phone, Language, Channels))
        {
            return false;
        }

        Apply(details);
        Touch(now);
        return true;
    }

    /// <summary>Puts another book of addresses in the place of this one. False when it is the same.</summary>
    public bool ChangeAddresses(AddressBook addresses, DateTimeOffset now)
    {
        ThrowIfErased();
        if (addresses.Equals(Addresses))
        {
            return false;
        }

        Addresses = addresses;
        SetSearchKey();
        Touch(now);
        return true;
    }

    /// <summary>
    /// Forgets the person. The row stays, so that orders still have a customer; nobody is to be told anything any more, and the
    /// e-mail address may come back as a new customer.
    /// </summary>
    public void Erase(DateTimeOffset now)
    {
        ThrowIfErased();
        (Name, Email, EmailKey, Phone, SearchKey) = (null, null, null, null, null);
        Addresses = AddressBook.Empty;
        Language = DefaultLanguage;
        Channels = new(Email: false, Sms: false, Webhook: false);
        Status = CustomerStatus.Erased;
        Touch(now);
    }

    private void Apply(CustomerDetails details)
    {
        (Name, Email, Phone, Language, Channels) = (details.Name, details.Email, details.Phone, details.Language, details.Channels);
        EmailKey = ToEmailKey(Email);
        SetSearchKey();
    }

    /// <summary>A domain that is not ASCII is found in both of its forms.</summary>
    private void SetSearchKey()
    {
        string[] domains = EmailAddress.TryParse(Email, out var address) && address.AsciiDomain.Contains("xn--", StringComparison.Ordinal)
            ? [address.Key, address.AsciiDomain]
            : [];
        SearchKey = ToSearchKey(string.Join('\n', [Name, Email, Phone, .. domains, .. Addresses.Addresses.Select(a => a.City).Distinct()]));
    }

    private void Touch(DateTimeOffset now)
    {
        Version++;
        // Another replica's clock, or this one after it was set, may be behind.
        UpdatedAt = now > UpdatedAt ? now : UpdatedAt;
    }

    private void ThrowIfErased()
    {
        if (Status == CustomerStatus.Erased)
        {
            throw new InvalidOperationException($"Customer {Id} is erased.");
        }
    }
}
