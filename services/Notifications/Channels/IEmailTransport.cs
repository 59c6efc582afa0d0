using MimeKit;

namespace OrderInventory.Notifications.Channels;

/// <summary>How mails leave. A connection serves a batch of them and is used by one sender at a time.</summary>
internal interface IEmailTransport
{
    /// <exception cref="ChannelUnavailableException">Nothing can be sent just now.</exception>
    Task<IEmailConnection> ConnectAsync(CancellationToken cancellationToken);
}

internal interface IEmailConnection : IAsyncDisposable
{
    /// <exception cref="MessageNotTakenException">This mail was not taken; the next one may be.</exception>
    /// <exception cref="ChannelUnavailableException">The connection is lost.</exception>
    Task SendAsync(MimeMessage mail, CancellationToken cancellationToken);
}
