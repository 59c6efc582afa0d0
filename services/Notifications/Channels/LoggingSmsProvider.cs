namespace OrderInventory.Notifications.Channels;

/// <summary>For systems without a provider: logs that a message would have been sent, but neither its receiver nor its text.</summary>
internal sealed partial class LoggingSmsProvider(ILogger<LoggingSmsProvider> logger) : ISmsProvider
{
    public Task SendAsync(SmsMessage message, CancellationToken cancellationToken)
    {
        LogSent(message.Id, message.Text.Length);
        return Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Text message {Id} of {Length} characters is not sent: Notifications:Sms:Url is not set")]
    private partial void LogSent(Guid id, int length);
}
