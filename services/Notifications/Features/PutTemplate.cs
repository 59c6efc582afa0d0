using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Notifications.Features;

internal static class PutTemplate
{
    /// <summary>The next version of a template, in Liquid. Tags: if, unless, case, for, break, continue, assign, echo.</summary>
    /// <param name="Body">The text, 1 to 32,768 characters.</param>
    /// <param name="Subject">Required for a mail: 1 to 500 characters. A text message has none.</param>
    /// <param name="Html">HTML version of a mail, at most 131,072 characters. Values are encoded for HTML.</param>
    [Example("""{"subject": "Your order {{ orderId }}", "body": "Dear {{ name }}, your order is on its way."}""")]
    public sealed record Request([property: MaxLength(32768)] string Body, [property: MaxLength(500)] string? Subject = null, [property: MaxLength(131072)] string? Html = null);

    /// <summary>Write a template</summary>
    /// <remarks>
    /// Creates version 1 or the next version, which is used from then on instead of the built-in template. If-Match is required when the company has
    /// a template of its own already. 422 <c>template-invalid</c>, with <c>line</c> and <c>column</c>, when it cannot be parsed or filled.
    /// </remarks>
    public static async Task<Results<Created<TemplateResponse>, Ok<TemplateResponse>, ProblemHttpResult>> HandleAsync(
        string template, string channel, string language, Request request, HttpContext http, Caller caller, NotificationsDb db, TimeProvider time,
        CancellationToken cancellationToken)
    {
        if (TemplatePaths.Read(template, channel, language, out var key) is { } unknown)
        {
            return unknown;
        }

        var current = await db.MessageTemplates
            .SingleOrDefaultAsync(t => t.Template == key.Template && t.Channel == key.Channel && t.Language == key.Language, cancellationToken);
        if (ETags.CheckIfMatch(http, current?.Version) is { } mismatch)
        {
            return mismatch;
        }

        var text = new TemplateText(request.Subject, request.Body, request.Html);
        if (TemplateRules.Check(key, text, out var problem) is null)
        {
            return problem!;
        }

        var isNew = current is null;
        if (current is null)
        {
            if (await db.MessageTemplates.CountAsync(cancellationToken) >= MessageTemplate.MaxCount)
            {
                return NotificationProblems.LimitReached("templates", MessageTemplate.MaxCount);
            }

            current = MessageTemplate.Create(key, text, time.GetStorableNow());
            db.Add(current);
        }
        else if (current.Version >= MessageTemplate.MaxVersions)
        {
            return NotificationProblems.LimitReached("versions", MessageTemplate.MaxVersions);
        }
        else
        {
            current.Write(text, time.GetStorableNow());
        }

        db.Add(MessageTemplateVersion.Of(current));
        db.Add(ChangeEntry.Of(caller, $"templates/{TemplatePaths.Path(key)}", isNew ? "created" : "changed", current.Version, current.UpdatedAt));
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException exception) when (exception is DbUpdateConcurrencyException || exception.IsUniqueViolation("pk_message_templates")
            || exception.IsUniqueViolation("pk_message_template_versions"))
        {
            // Another request has written this version a moment ago.
            var version = await db.MessageTemplates.AsNoTracking()
                .Where(t => t.Template == key.Template && t.Channel == key.Channel && t.Language == key.Language)
                .Select(t => t.Version).SingleOrDefaultAsync(cancellationToken);
            return Problems.PreconditionFailed(version);
        }

        ETags.Set(http, current.Version);
        return isNew
            ? TypedResults.Created($"/api/notifications/templates/{TemplatePaths.Path(key)}", TemplateResponse.Of(current))
            : TypedResults.Ok(TemplateResponse.Of(current));
    }
}
