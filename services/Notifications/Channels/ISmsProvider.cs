namespace OrderInventory.Notifications.Channels;

/// <summary>A text message. Its id is the notification's: a provider that honours idempotency keys sends a repeated one once.</summary>
internal sealed record SmsMessage(Guid Id, string To, string Text);

/// <summary>Who sends text messages.</summary>
internal interface ISmsProvider
{
    /// <exception cref="MessageNotTakenException">This message was not taken; the next one may be.</exception>
    /// <exception cref="ChannelUnavailableException">Nothing can be sent just now.</exception>
    Task SendAsync(SmsMessage message, CancellationToken cancellationToken);
}
