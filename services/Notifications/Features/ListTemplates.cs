using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

internal static class ListTemplates
{
    private static readonly Paging s_paging = new("templates");

    /// <summary>A template without its texts.</summary>
    /// <param name="Template">Name of the template.</param>
    /// <param name="Channel"><c>email</c> or <c>sms</c>.</param>
    /// <param name="Language">Lower-case IETF language tag.</param>
    /// <param name="Version">The current version; 0 is the built-in template.</param>
    /// <param name="UpdatedAt">When this version was written; null for the built-in one.</param>
    public sealed record Entry(string Template, NotificationChannel Channel, string Language, long Version, DateTimeOffset? UpdatedAt);

    /// <summary>List templates by name, channel and language</summary>
    /// <remarks>The company's own and the built-in ones.</remarks>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page.</param>
    public static async Task<Results<Ok<Page<Entry>>, ProblemHttpResult>> HandleAsync(
        int? limit, string? cursor, NotificationsDb db, CancellationToken cancellationToken)
    {
        if (s_paging.ReadText(limit, cursor, out var take, out var after) is { } unreadable)
        {
            return unreadable;
        }

        // There are at most a thousand, and their texts are not read.
        var own = await db.MessageTemplates.AsNoTracking().Select(t => new Entry(t.Template, t.Channel, t.Language, t.Version, t.UpdatedAt)).ToListAsync(cancellationToken);
        var rows = own
            .Concat(BuiltInTemplates.Keys
                .Where(k => !own.Exists(t => Key(t) == k))
                .Select(k => new Entry(k.Template, k.Channel, k.Language, 0, null)))
            .OrderBy(Path, StringComparer.Ordinal)
            .Where(t => after is null || string.CompareOrdinal(Path(t), after) > 0)
            .Take(take + 1)
            .ToList();
        return TypedResults.Ok(s_paging.ToPage(rows, take, Path));
    }

    private static TemplateKey Key(Entry item) => new(item.Template, item.Channel, item.Language);

    private static string Path(Entry item) => TemplatePaths.Path(Key(item));
}
