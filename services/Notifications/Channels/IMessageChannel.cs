using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Channels;

/// <summary>
/// A channel of messages to people: e-mail or text message. Webhooks are not included: they are for programs and use another protocol.
/// </summary>
internal interface IMessageChannel
{
    NotificationChannel Kind { get; }

    /// <summary>The channel's name in <c>lastError</c>.</summary>
    string Name { get; }

    /// <summary>The term for an address in <c>lastError</c>.</summary>
    string AddressName { get; }

    /// <summary>Whether the next message may use a new connection after one was lost; if not, the channel counts as unavailable.</summary>
    bool CanReconnect { get; }

    string? AddressOf(CustomersClient.Customer customer);

    /// <summary>The configured addresses of a staff role.</summary>
    string? AddressOfRole(string role);

    bool IsAddress(string address, bool isRole);

    /// <exception cref="ChannelUnavailableException">Nothing can be sent at present.</exception>
    Task<IMessageConnection> ConnectAsync(CancellationToken cancellationToken);
}

/// <summary>Serves a batch of messages and is used by one sender at a time.</summary>
internal interface IMessageConnection : IAsyncDisposable
{
    /// <exception cref="MessageRefusedException">This message was not accepted; the next one may be.</exception>
    /// <exception cref="ChannelUnavailableException">The connection is lost.</exception>
    Task SendAsync(Guid id, RenderedMessage message, CancellationToken cancellationToken);
}

/// <summary>The channel as a whole does not work. The exception's message is for people to read and names no receiver.</summary>
internal sealed class ChannelUnavailableException(string message, Exception inner) : Exception(message, inner);

/// <summary>One message was refused. The text comes from the server and may name the receiver: it is stored, never logged.</summary>
internal sealed class MessageRefusedException(string message, Exception inner) : Exception(message, inner);
