using MimeKit;

namespace OrderInventory.Notifications.Channels;

/// <summary>Sends mails. A connection serves a batch of mails and is used by one sender at a time.</summary>
internal interface IEmailTransport
{
    /// <exception cref="ChannelUnavailableException">Nothing can be sent at present.</exception>
    Task<IEmailConnection> ConnectAsync(CancellationToken cancellationToken);
}

internal interface IEmailConnection : IAsyncDisposable
{
    /// <exception cref="MessageRefusedException">This mail was not accepted; the next one may be.</exception>
    /// <exception cref="ChannelUnavailableException">The connection is lost.</exception>
    Task SendAsync(MimeMessage mail, CancellationToken cancellationToken);
}
