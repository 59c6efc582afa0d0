using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Channels;

/// <summary>Text messages, each sent in its own request.</summary>
internal sealed class SmsChannel(ISmsProvider provider) : IMessageChannel
{
    public NotificationChannel Kind => NotificationChannel.Sms;

    public string Name => "text messages";

    public string AddressName => "phone number";

    public bool CanReconnect => false;

    public string? AddressOf(CustomersClient.Customer customer) => customer.Phone;

    public string? AddressOfRole(string role) => null;

    /// <summary>Accepts numbers as people write them: the provider decides whether a number is valid.</summary>
    public bool IsAddress(string address, bool isRole) =>
        address.Length <= 40 && address.Count(char.IsAsciiDigit) >= 3 && address.All(c => char.IsAsciiDigit(c) || "+-/(). ".Contains(c, StringComparison.Ordinal));

    public Task<IMessageConnection> ConnectAsync(CancellationToken cancellationToken) => Task.FromResult<IMessageConnection>(new Connection(provider));

    private sealed class Connection(ISmsProvider provider) : IMessageConnection
    {
        public Task SendAsync(Guid id, RenderedMessage message, CancellationToken cancellationToken) =>
            provider.SendAsync(new(id, message.Recipient, message.Body), cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
