using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Http;

/// <summary>A template.</summary>
/// <param name="Template">Name of the template.</param>
/// <param name="Channel"><c>email</c> or <c>sms</c>.</param>
/// <param name="Language">Lower-case IETF language tag.</param>
/// <param name="Version">Grows by one with every change; also the ETag. 0 is the built-in template.</param>
/// <param name="Subject">Subject of a mail; null for a text message.</param>
/// <param name="Body">The text.</param>
/// <param name="Html">The HTML version of a mail, or null.</param>
/// <param name="UpdatedAt">When this version was written; null for the built-in one.</param>
public sealed record TemplateResponse(
    string Template, NotificationChannel Channel, string Language, long Version, string? Subject, string Body, string? Html, DateTimeOffset? UpdatedAt)
{
    internal static TemplateResponse Of(MessageTemplate t) => new(t.Template, t.Channel, t.Language, t.Version, t.Subject, t.Body, t.Html, t.UpdatedAt);

    internal static TemplateResponse Of(TemplateKey key, TemplateText text) => new(key.Template, key.Channel, key.Language, 0, text.Subject, text.Body, text.Html, null);
}

/// <summary>How templates are named in paths, and how lists of them are paged.</summary>
internal static class TemplatePaths
{
    /// <summary>Reads the path. Returns the 404 or 400 to answer with, or null.</summary>
    public static ProblemHttpResult? Read(string template, string channel, string language, out TemplateKey key)
    {
        key = default;
        var known = Templates.All.Contains(template);
        if (!known || channel is not ("email" or "sms"))
        {
            return NotFound($"{template}/{channel}");
        }

        if (!StaffRules.IsLanguage(language))
        {
            return Problems.MalformedRequest("language", "A language tag like en or pt-BR is required.");
        }

        key = new(template, channel == "sms" ? NotificationChannel.Sms : NotificationChannel.Email, language.ToLowerInvariant());
        return null;
    }

    public static ProblemHttpResult NotFound(TemplateKey key) => NotFound(Path(key));

    public static string Path(TemplateKey key) => $"{key.Template}/{NotificationsDb.Name(key.Channel)}/{key.Language}";

    public static bool TryReadVersion(string? after, out long version)
    {
        version = long.MaxValue;
        return after is null || long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out version);
    }

    private static ProblemHttpResult NotFound(string path) =>
        Problems.Of("not-found", "The template does not exist.", StatusCodes.Status404NotFound, $"There is no template {path}.");
}
