using Microsoft.Extensions.Options;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Features;

/// <summary>Sends the text messages, each by a request of its own.</summary>
internal sealed class SendTextMessages(
    ISmsChannel sms, NotificationQueue queue, MessageFacts facts, TemplateStore templates, MessageRenderer renderer, SendSignal signal,
    IOptions<NotificationOptions> options, TimeProvider time, ILogger<SendTextMessages> logger)
    : SendNotifications(queue, facts, templates, renderer, signal, options, time, logger)
{
    protected override NotificationChannel Channel => NotificationChannel.Sms;

    protected override string AddressName => "phone number";

    protected override string ChannelName => "text messages";

    protected override string? AddressOf(CustomersClient.Customer customer) => customer.Phone;

    protected override string? AddressOfRole(string role) => null;

    /// <summary>As people write them: what a number is, the provider knows better.</summary>
    protected override bool IsAddress(string address, bool isRole) =>
        address.Length <= 40 && address.Count(char.IsAsciiDigit) >= 3 && address.All(c => char.IsAsciiDigit(c) || "+-/(). ".Contains(c, StringComparison.Ordinal));

    protected override Task<IMessageConnection> ConnectAsync(CancellationToken cancellationToken) => Task.FromResult<IMessageConnection>(new Connection(sms));

    private sealed class Connection(ISmsChannel sms) : IMessageConnection
    {
        public Task SendAsync(Guid id, RenderedMessage message, CancellationToken cancellationToken) =>
            sms.SendAsync(new(id, message.Recipient, message.Body), cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
