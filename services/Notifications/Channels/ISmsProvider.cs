namespace OrderInventory.Notifications.Channels;

/// <summary>A text message with the notification's id: a provider that honours idempotency keys sends a repeated message only once.</summary>
internal sealed record SmsMessage(Guid Id, string To, string Text);

/// <summary>Sends text messages.</summary>
internal interface ISmsProvider
{
    /// <exception cref="MessageRefusedException">This message was not accepted; the next one may be.</exception>
    /// <exception cref="ChannelUnavailableException">Nothing can be sent at present.</exception>
    Task SendAsync(SmsMessage message, CancellationToken cancellationToken);
}
