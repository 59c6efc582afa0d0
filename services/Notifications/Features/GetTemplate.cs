using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

internal static class GetTemplate
{
    /// <summary>Read a template</summary>
    /// <remarks>
    /// The company's own template, or the built-in one as version 0, in exactly this language. Which language a customer gets is decided when a
    /// message is sent.
    /// </remarks>
    public static async Task<Results<Results<Ok<TemplateResponse>, StatusCodeHttpResult>, ProblemHttpResult>> HandleAsync(
        string template, string channel, string language, HttpContext http, NotificationsDb db, CancellationToken cancellationToken)
    {
        if (TemplatePaths.Read(template, channel, language, out var key) is { } unknown)
        {
            return unknown;
        }

        var own = await db.MessageTemplates.AsNoTracking()
            .SingleOrDefaultAsync(t => t.Template == key.Template && t.Channel == key.Channel && t.Language == key.Language, cancellationToken);
        var found = own is not null ? TemplateResponse.Of(own) : BuiltInTemplates.Find(key) is { } text ? TemplateResponse.Of(key, text) : null;
        return found is null ? TemplatePaths.NotFound(key) : ETags.Ok(http, found, found.Version);
    }
}
