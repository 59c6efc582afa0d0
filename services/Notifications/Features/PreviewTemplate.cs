using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

internal static class PreviewTemplate
{
    /// <summary>What to preview.</summary>
    /// <param name="Body">The body of a draft; the current template's when left out.</param>
    /// <param name="Subject">The draft's subject.</param>
    /// <param name="Html">The draft's HTML.</param>
    /// <param name="Data">Values of the variables; sample data for those that are left out.</param>
    [Example("""{"subject": "Hello", "body": "Dear {{ name }}, your order is on its way."}""")]
    public sealed record Request([property: MaxLength(32768)] string? Body = null, [property: MaxLength(500)] string? Subject = null, [property: MaxLength(131072)] string? Html = null, Values? Data = null);

    /// <summary>The variables of templates: those of orders, or those of stock.</summary>
    public sealed record Values(
        string? Name = null, Guid? OrderId = null, Money? Total = null, IReadOnlyList<Line>? Lines = null, int? MoreLines = null,
        IReadOnlyList<Short>? Shortages = null, bool? RevisionRejected = null, Guid? ProductId = null, long? Available = null, long? Threshold = null,
        string? Sku = null, string? ProductName = null, string? Carrier = null, string? TrackingNumber = null);

    /// <summary>A line of an order.</summary>
    public sealed record Line(string Name, int Quantity);

    /// <summary>A product with insufficient stock.</summary>
    public sealed record Short(string Name, long Requested, long Available);

    /// <summary>The message as it would be sent.</summary>
    public sealed record Result(string? Subject, string Body, string? Html);

    /// <summary>Preview a template</summary>
    /// <remarks>Nothing is stored or sent. 422 <c>template-invalid</c>, with <c>line</c> and <c>column</c>, when it cannot be parsed or filled.</remarks>
    public static async Task<Results<Ok<Result>, ProblemHttpResult>> HandleAsync(
        string template, string channel, string language, Request request, NotificationsDb db, CancellationToken cancellationToken)
    {
        if (TemplatePaths.Read(template, channel, language, out var key) is { } unknown)
        {
            return unknown;
        }

        if (request.Data is { } given && (given.Lines?.Count > NotificationData.MaxLines || given.Shortages?.Count > NotificationData.MaxLines))
        {
            return Problems.MalformedRequest("$.data", "At most 50 lines and shortages are allowed.");
        }

        // A draft without a body is completed from the current template.
        var text = request.Body is { } body
            ? new(request.Subject, body, request.Html)
            : await FindAsync(db, key, cancellationToken) is { } now ? now with { Subject = request.Subject ?? now.Subject, Html = request.Html ?? now.Html } : null;
        if (text is null)
        {
            return TemplatePaths.NotFound(key);
        }

        if (TemplateRules.Check(key, text, out var problem) is not { } parsed)
        {
            return problem!;
        }

        try
        {
            var data = request.Data ?? new();
            var filled = parsed.Fill(MessageValues.Of(
                data.OrderId ?? TemplateRules.SampleOrder, Merge(TemplateRules.Sample(template), data), data.Name ?? TemplateRules.SampleName, key.Language));
            return TypedResults.Ok(new Result(filled.Subject, filled.Body, filled.Html));
        }
        catch (TemplateFailedException exception)
        {
            return TemplateRules.Invalid(new Dictionary<string, TemplateProblem> { ["$.body"] = new(exception.Message, 1, 1) });
        }
    }

    private static async Task<TemplateText?> FindAsync(NotificationsDb db, TemplateKey key, CancellationToken cancellationToken)
    {
        var own = await db.MessageTemplates.AsNoTracking()
            .SingleOrDefaultAsync(t => t.Template == key.Template && t.Channel == key.Channel && t.Language == key.Language, cancellationToken);
        return own is null ? BuiltInTemplates.Find(key) : new(own.Subject, own.Body, own.Html);
    }

    private static NotificationData Merge(NotificationData sample, Values data) => sample with
    {
        Total = data.Total ?? sample.Total,
        Lines = data.Lines?.Select(l => new NotificationData.Line(l.Name, l.Quantity)).ToList() ?? sample.Lines,
        MoreLines = data.MoreLines ?? sample.MoreLines,
        Shortages = data.Shortages?.Select(s => new NotificationData.Shortage(s.Name, s.Requested, s.Available)).ToList() ?? sample.Shortages,
        RevisionRejected = data.RevisionRejected ?? sample.RevisionRejected,
        // The template decides whether the message is about an order or about stock.
        ProductId = sample.ProductId is null ? null : data.ProductId ?? sample.ProductId,
        Available = data.Available ?? sample.Available,
        Threshold = data.Threshold ?? sample.Threshold,
        Sku = data.Sku ?? sample.Sku,
        ProductName = data.ProductName ?? sample.ProductName,
        Carrier = data.Carrier ?? sample.Carrier,
        TrackingNumber = data.TrackingNumber ?? sample.TrackingNumber,
    };
}
