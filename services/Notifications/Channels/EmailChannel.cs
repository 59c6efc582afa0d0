using Microsoft.Extensions.Options;
using MimeKit;
using MimeKit.Text;
using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Notifications.Channels;

/// <summary>E-mail: the mails of a batch over one connection.</summary>
internal sealed class EmailChannel(IEmailTransport transport, IOptions<NotificationOptions> options, TimeProvider time) : IMessageChannel
{
    private readonly MailboxAddress _from = MailboxAddress.Parse(options.Value.From);

    public NotificationChannel Kind => NotificationChannel.Email;

    public string Name => "e-mail";

    public string AddressName => "e-mail address";

    public bool CanReconnect => true;

    public string? AddressOf(CustomersClient.Customer customer) => customer.Email;

    public string? AddressOfRole(string role) => options.Value.Staff.TryGetValue(role, out var addresses) ? string.Join(", ", addresses) : null;

    /// <summary>
    /// Applies the rule by which the address was accepted, so that no mail goes to an address that only a lenient parser reads from it. A role may
    /// have several addresses, with names.
    /// </summary>
    public bool IsAddress(string address, bool isRole) => isRole
        ? InternetAddressList.TryParse(address, out var list) && list.Mailboxes.Any() && list.Mailboxes.All(mailbox => EmailAddress.IsValid(mailbox.Address))
        : EmailAddress.IsValid(address);

    public async Task<IMessageConnection> ConnectAsync(CancellationToken cancellationToken) =>
        new Connection(await transport.ConnectAsync(cancellationToken), _from, time);

    /// <summary>Creates the mail with the notification's id as its Message-ID, so that a receiver can recognize a duplicate.</summary>
    private static MimeMessage ToMail(Guid id, RenderedMessage message, MailboxAddress from, DateTimeOffset date)
    {
        var text = new TextPart(TextFormat.Plain) { Text = message.Body };
        var mail = new MimeMessage
        {
            MessageId = $"{id}@{from.Domain}",
            Subject = message.Subject ?? "",
            Date = date,
            Body = message.Html is null ? text : new MultipartAlternative(text, new TextPart(TextFormat.Html) { Text = message.Html }),
        };
        // A copy: an address refers to every list that contains it, so an address shared by all mails would keep all mails in memory.
        mail.From.Add(new MailboxAddress(from.Name, from.Address));
        mail.To.AddRange(InternetAddressList.Parse(message.Recipient).Mailboxes.Select(to =>
            EmailAddress.TryParse(to.Address, out var address) ? new MailboxAddress(to.Name, address.Text) : to));
        // RFC 3834: asks for no out-of-office replies to an automatic mail.
        mail.Headers.Add("Auto-Submitted", "auto-generated");
        return mail;
    }

    private sealed class Connection(IEmailConnection connection, MailboxAddress from, TimeProvider time) : IMessageConnection
    {
        public async Task SendAsync(Guid id, RenderedMessage message, CancellationToken cancellationToken)
        {
            using var mail = ToMail(id, message, from, time.GetUtcNow());
            await connection.SendAsync(mail, cancellationToken);
        }

        public ValueTask DisposeAsync() => connection.DisposeAsync();
    }
}
