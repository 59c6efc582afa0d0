using OrderInventory.Contracts.Customers;
using OrderInventory.Customers.Domain;

namespace OrderInventory.Customers.Tests;

public sealed class CustomerTests
{
    private static readonly DateTimeOffset s_then = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly DateTimeOffset s_later = s_then.AddHours(1);
    private static readonly CustomerDetails s_maria = new("Maria Anders", "Maria@Example.com", "030", "de", new(Email: true, Sms: false, Webhook: true));

    [Fact]
    public void Starts_active_with_version_1()
    {
        var customer = Customer.Create(s_maria, s_then);

        Assert.Equal((CustomerStatus.Active, 1L, s_then, s_then), (customer.Status, customer.Version, customer.CreatedAt, customer.UpdatedAt));
        Assert.Equal(("Maria@Example.com", "maria@example.com"), (customer.Email, customer.EmailKey));
    }

    [Fact]
    public void Has_a_new_version_for_each_real_change_only()
    {
        var customer = Customer.Create(s_maria, s_then);

        Assert.False(customer.Change(s_maria with { Channels = new(Email: true, Sms: false, Webhook: true) }, s_later));
        Assert.Equal((1L, s_then), (customer.Version, customer.UpdatedAt));
        Assert.True(customer.Change(s_maria with { Email = "ANA@example.com" }, s_later));
        Assert.Equal(("ana@example.com", 2L, s_later), (customer.EmailKey, customer.Version, customer.UpdatedAt));
    }

    [Fact]
    public void Their_time_never_goes_back_while_the_version_grows()
    {
        var customer = Customer.Create(s_maria, s_later);

        Assert.True(customer.Change(s_maria with { Name = "Ana" }, s_then));
        Assert.Equal((2L, s_later), (customer.Version, customer.UpdatedAt));
        customer.Erase(s_then);
        Assert.Equal((3L, s_later), (customer.Version, customer.UpdatedAt));
    }

    [Fact]
    public void Forgets_the_person_permanently()
    {
        var customer = Customer.Create(s_maria, s_then);
        customer.ChangeAddresses(customer.Addresses.With(Address.Of(Guid.CreateVersion7(), new(null, null, "Obere Str. 57", null, null, "Berlin", null, "DE"), false)), s_then);
        customer.Erase(s_later);

        Assert.Equal((CustomerStatus.Erased, 3L, s_later), (customer.Status, customer.Version, customer.UpdatedAt));
        Assert.All(new[] { customer.Name, customer.Email, customer.EmailKey, customer.Phone, customer.SearchKey }, Assert.Null);
        Assert.Empty(customer.Addresses.Addresses);
        Assert.Equal(new ContactChannels(Email: false, Sms: false, Webhook: false), customer.Channels);
        Assert.Throws<InvalidOperationException>(() => customer.Change(s_maria, s_later));
        Assert.Throws<InvalidOperationException>(() => customer.Erase(s_later));
    }
}
