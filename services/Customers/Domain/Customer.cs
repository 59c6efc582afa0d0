using OrderInventory.Contracts.Customers;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Customers.Domain;

/// <summary>The details of a customer.</summary>
internal sealed record CustomerDetails(string Name, string Email, string? Phone, string Language, ContactChannels Channels);

/// <summary>Somebody who can order. This service is the source of their name and addresses: events carry neither.</summary>
internal sealed class Customer
{
    /// <summary>E-mail only, because every customer has an e-mail address.</summary>
    public static readonly ContactChannels DefaultChannels = new(Email: true, Sms: false, Webhook: false);

    public const string DefaultLanguage = "en";

    private Customer()
    {
    }

    public Guid Id { get; private init; }

    /// <summary>Null once erased; so are e-mail and phone, and there are no addresses.</summary>
    public string? Name { get; private set; }

    public string? Email { get; private set; }

    /// <summary>Unique among customers; see <see cref="ToEmailKey"/>.</summary>
    public string? EmailKey { get; private set; }

    public string? Phone { get; private set; }
    public AddressBook Addresses { get; private set; } = AddressBook.Empty;

    /// <summary>
    /// Name, e-mail, phone and cities in lower case, one per line: the text that is searched. Computed here for the same reason as
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

    /// <summary>
    /// Computes <see cref="EmailKey"/>. Not in SQL, because what <c>lower()</c> does to non-ASCII letters depends on each database's collation.
    /// </summary>
    public static string ToEmailKey(string email) => EmailAddress.ToKey(email);

    /// <summary>Normalizes text in the same way as <see cref="SearchKey"/>.</summary>
    public static string ToSearchKey(string text) => Nfc.Normalize(text.ToLowerInvariant());

    /// <summary>Sets all details. Returns false when nothing has changed: there is no new version and nothing to publish.</summary>
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

    /// <summary>Replaces the address book. Returns false when it is the same.</summary>
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
    /// Erases the personal data. The row stays, so that orders still have a customer; the customer is no longer notified, and a new customer may
    /// use the e-mail address.
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

    /// <summary>Includes both forms of a domain that is not ASCII, so that a search finds either.</summary>
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
        // This replica's clock may be behind: it was set back, or another replica's clock is ahead.
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
