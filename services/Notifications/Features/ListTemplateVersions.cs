using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

internal static class ListTemplateVersions
{
    private static readonly Paging s_paging = new("template versions");

    /// <summary>List a template's versions, newest first</summary>
    /// <remarks>With their texts, as they were written. Empty while only the built-in template is used.</remarks>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page.</param>
    public static async Task<Results<Ok<Page<TemplateResponse>>, ProblemHttpResult>> HandleAsync(
        string template, string channel, string language, int? limit, string? cursor, NotificationsDb db, CancellationToken cancellationToken)
    {
        if (TemplatePaths.Read(template, channel, language, out var key) is { } unknown)
        {
            return unknown;
        }

        if (s_paging.ReadText(limit, cursor, out var take, out var after) is { } unreadable)
        {
            return unreadable;
        }

        if (!TemplatePaths.TryReadVersion(after, out var before))
        {
            return Paging.MalformedCursor();
        }

        var rows = await db.MessageTemplateVersions.AsNoTracking()
            .Where(v => v.Template == key.Template && v.Channel == key.Channel && v.Language == key.Language && v.Version < before)
            .OrderByDescending(v => v.Version)
            .Take(take + 1)
            .Select(v => new TemplateResponse(v.Template, v.Channel, v.Language, v.Version, v.Subject, v.Body, v.Html, v.CreatedAt))
            .ToListAsync(cancellationToken);
        return TypedResults.Ok(s_paging.ToPage(rows, take, v => v.Version.ToString(CultureInfo.InvariantCulture)));
    }
}
