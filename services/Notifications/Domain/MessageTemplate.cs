namespace OrderInventory.Notifications.Domain;

/// <summary>The texts of a template. A text message has only a body; the HTML of a mail may be left out.</summary>
internal sealed record TemplateText(string? Subject, string Body, string? Html);

/// <summary>Identifies a template: its name, channel and language (a lower-case IETF tag).</summary>
internal readonly record struct TemplateKey(string Template, NotificationChannel Channel, string Language);

/// <summary>One of the company's own templates, in its current version. It replaces the built-in template of its language.</summary>
public sealed class MessageTemplate
{
    /// <summary>Maximum number of templates, and of versions of each.</summary>
    public const int MaxCount = 1000, MaxVersions = 1000;

    private MessageTemplate()
    {
    }

    public string Template { get; private init; } = "";
    public NotificationChannel Channel { get; private init; }
    public string Language { get; private init; } = "";
    public long Version { get; private set; }
    public string? Subject { get; private set; }
    public string Body { get; private set; } = "";
    public string? Html { get; private set; }
    public DateTimeOffset UpdatedAt { get; private set; }

    internal static MessageTemplate Create(TemplateKey key, TemplateText text, DateTimeOffset now)
    {
        var template = new MessageTemplate { Template = key.Template, Channel = key.Channel, Language = key.Language };
        template.Write(text, now);
        return template;
    }

    /// <summary>Writes the next version.</summary>
    internal void Write(TemplateText text, DateTimeOffset now)
    {
        (Subject, Body, Html) = (text.Subject, text.Body, text.Html);
        Version++;
        UpdatedAt = now;
    }
}

/// <summary>
/// A version of a template as it was written. Versions are never changed or deleted: notifications name the one they were made from.
/// </summary>
public sealed class MessageTemplateVersion
{
    private MessageTemplateVersion()
    {
    }

    public string Template { get; private init; } = "";
    public NotificationChannel Channel { get; private init; }
    public string Language { get; private init; } = "";
    public long Version { get; private init; }
    public string? Subject { get; private init; }
    public string Body { get; private init; } = "";
    public string? Html { get; private init; }
    public DateTimeOffset CreatedAt { get; private init; }

    public static MessageTemplateVersion Of(MessageTemplate template) => new()
    {
        Template = template.Template,
        Channel = template.Channel,
        Language = template.Language,
        Version = template.Version,
        Subject = template.Subject,
        Body = template.Body,
        Html = template.Html,
        CreatedAt = template.UpdatedAt,
    };
}
