using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Channels;

/// <summary>A channel of messages to people: e-mail or text message. Webhooks are not one: programs get another protocol.</summary>
internal interface IMessageChannel
{
    NotificationChannel Kind { get; }

    /// <summary>What it is called in <c>lastError</c>.</summary>
    string Name { get; }

    /// <summary>What an address is called there.</summary>
    string AddressName { get; }

    /// <summary>Whether the next message may pass over a new connection when one has been lost; if not, the channel is away.</summary>
    bool CanReconnect { get; }

    string? AddressOf(CustomersClient.Customer customer);

    /// <summary>The addresses of a role of staff in the configuration.</summary>
    string? AddressOfRole(string role);

    bool IsAddress(string address, bool isRole);

    /// <exception cref="ChannelUnavailableException">Nothing can be sent just now.</exception>
    Task<IMessageConnection> ConnectAsync(CancellationToken cancellationToken);
}

/// <summary>Serves a batch of messages and is used by one sender at a time.</summary>
internal interface IMessageConnection : IAsyncDisposable
{
    /// <exception cref="MessageNotTakenException">This message was not taken; the next one may be.</exception>
    /// <exception cref="ChannelUnavailableException">The connection is lost.</exception>
    Task SendAsync(Guid id, RenderedMessage message, CancellationToken cancellationToken);
}

/// <summary>The channel as a whole does not work. Its message is for a person and names no receiver.</summary>
internal sealed class ChannelUnavailableException(string message, Exception inner) : Exception(message, inner);

/// <summary>One message was refused. The text is the server's, which may name the receiver: it is stored, never logged.</summary>
internal sealed class MessageNotTakenException(string message, Exception inner) : Exception(message, inner);
