using Microsoft.Extensions.Options;
using MimeKit;
using MimeKit.Text;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Notifications.Features;

/// <summary>Sends the mails, a batch over one connection.</summary>
internal sealed class SendEmails(
    IEmailChannel email, NotificationQueue queue, MessageFacts facts, TemplateStore templates, MessageRenderer renderer, SendSignal signal,
    IOptions<NotificationOptions> options, TimeProvider time, ILogger<SendEmails> logger)
    : SendNotifications(queue, facts, templates, renderer, signal, options, time, logger)
{
    private readonly MailboxAddress _from = MailboxAddress.Parse(options.Value.From);

    protected override NotificationChannel Channel => NotificationChannel.Email;

    protected override string AddressName => "e-mail address";

    protected override string ChannelName => "e-mail";

    protected override string? AddressOf(CustomersClient.Customer customer) => customer.Email;

    protected override string? AddressOfRole(string role) => Options.Staff.TryGetValue(role, out var addresses) ? string.Join(", ", addresses) : null;

    /// <summary>By the rule that the address was accepted by, so that nothing is mailed that a lenient parser makes of it. A role may have several, with names.</summary>
    protected override bool IsAddress(string address, bool isRole) => isRole
        ? InternetAddressList.TryParse(address, out var list) && list.Mailboxes.Any() && list.Mailboxes.All(mailbox => EmailAddress.IsValid(mailbox.Address))
        : EmailAddress.IsValid(address);

    protected override async Task<IMessageConnection> ConnectAsync(CancellationToken cancellationToken) =>
        new Connection(await email.ConnectAsync(cancellationToken), _from, Time);

    /// <summary>The mail with the notification's id as its Message-ID: whoever gets it twice can tell.</summary>
    internal static MimeMessage ToMessage(Guid id, RenderedMessage mail, MailboxAddress from, DateTimeOffset date)
    {
        var text = new TextPart(TextFormat.Plain) { Text = mail.Body };
        var message = new MimeMessage
        {
            MessageId = $"{id}@{from.Domain}",
            Subject = mail.Subject ?? "",
            Date = date,
            Body = mail.Html is null ? text : new MultipartAlternative(text, new TextPart(TextFormat.Html) { Text = mail.Html }),
        };
        message.From.Add(from);
        message.To.AddRange(InternetAddressList.Parse(mail.Recipient).Mailboxes.Select(to =>
            EmailAddress.TryParse(to.Address, out var address) ? new MailboxAddress(to.Name, address.Text) : to));
        // RFC 3834: no out-of-office replies to an automatic mail, please.
        message.Headers.Add("Auto-Submitted", "auto-generated");
        return message;
    }

    private sealed class Connection(IEmailConnection connection, MailboxAddress from, TimeProvider time) : IMessageConnection
    {
        public Task SendAsync(Guid id, RenderedMessage message, CancellationToken cancellationToken) =>
            connection.SendAsync(ToMessage(id, message, from, time.GetUtcNow()), cancellationToken);

        public ValueTask DisposeAsync() => connection.DisposeAsync();
    }
}
