using Microsoft.Extensions.Options;
using MimeKit;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Data;

namespace OrderInventory.Notifications.Tests;

public sealed class EmailChannelTests
{
    /// <summary>A sender runs for months: whatever a mail leaves in memory adds up.</summary>
    [Fact]
    public async Task Mails_that_were_sent_are_not_kept()
    {
        const int Many = 10;
        var transport = new ForgettingTransport();
        var channel = new EmailChannel(transport, Options.Create(new NotificationOptions()), TimeProvider.System);
        await using var connection = await channel.ConnectAsync(CancellationToken.None);
        for (var mail = 0; mail < Many; mail++)
        {
            await connection.SendAsync(Guid.CreateVersion7(), new("maria@example.com", "Hello", "Text", "<p>Text</p>", "en", 1), CancellationToken.None);
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.Equal(Many, transport.Sent.Count);
        // The last mail may still be in a register or on the stack.
        Assert.InRange(transport.Sent.Count(mail => mail.IsAlive), 0, 1);
    }

    private sealed class ForgettingTransport : IEmailTransport, IEmailConnection
    {
        public List<WeakReference> Sent { get; } = [];

        public Task<IEmailConnection> ConnectAsync(CancellationToken cancellationToken) => Task.FromResult<IEmailConnection>(this);

        public Task SendAsync(MimeMessage mail, CancellationToken cancellationToken)
        {
            Sent.Add(new(mail));
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
