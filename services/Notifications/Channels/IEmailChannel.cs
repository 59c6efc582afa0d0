using MimeKit;

namespace OrderInventory.Notifications.Channels;

/// <summary>Where mails go. A connection serves a batch of them and is used by one sender at a time.</summary>
internal interface IEmailChannel
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

/// <summary>The channel as a whole does not work. Its message is for a person and names no receiver.</summary>
internal sealed class ChannelUnavailableException(string message, Exception inner) : Exception(message, inner);

/// <summary>One message was refused. The text is the server's, which may name the receiver: it is stored, never logged.</summary>
internal sealed class MessageNotTakenException(string message, Exception inner) : Exception(message, inner);
