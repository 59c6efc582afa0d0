using System.Text.Json;
using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Channels;

/// <summary>
/// Chooses and fills templates: for each language from the receiver's own to English, the company's template has priority over the built-in
/// one. If it fails, the built-in template is used, so that a mistake in a template does not lose the message.
/// </summary>
internal sealed partial class MessageRenderer(ILogger<MessageRenderer> logger)
{
    /// <exception cref="JsonException">The notification's data cannot be read.</exception>
    /// <exception cref="KeyNotFoundException">There is no such template at all.</exception>
    public RenderedMessage Render(
        ClaimedNotification notification, IReadOnlyDictionary<TemplateKey, StoredTemplate> stored, NotificationChannel channel, Facts facts, Receiver receiver)
    {
        var data = facts.AddTo(JsonSerializer.Deserialize(notification.Data, NotificationJson.Default.NotificationData)!, notification);
        foreach (var tag in BuiltInTemplates.Languages(receiver.Language ?? notification.Language))
        {
            var key = new TemplateKey(notification.Template, channel, tag);
            // Numbers are written in the language of the template, not in the receiver's preferred language.
            var values = MessageValues.Of(notification.OrderId, data, receiver.Name, tag);
            if (stored.TryGetValue(key, out var own))
            {
                if (TryFill(own, values) is { } filled)
                {
                    return new(receiver.Address, filled.Subject, filled.Body, filled.Html, tag, own.Version);
                }

                LogFailed(notification.Template, channel, tag, own.Version, notification.Id);
            }

            if (BuiltInTemplates.FindParsed(key) is { } builtIn)
            {
                var filled = builtIn.Fill(values);
                return new(receiver.Address, filled.Subject, filled.Body, filled.Html, tag, 0);
            }
        }

        throw new KeyNotFoundException($"there is no template {notification.Template}.");
    }

    private static TemplateText? TryFill(StoredTemplate own, Dictionary<string, object?> values)
    {
        try
        {
            return own.Parsed?.Fill(values);
        }
        catch (TemplateFailedException)
        {
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Template {Template}/{Channel}/{Language} version {Version} cannot be rendered for notification {Id}; the built-in template is used")]
    private partial void LogFailed(string template, NotificationChannel channel, string language, long version, Guid id);
}
