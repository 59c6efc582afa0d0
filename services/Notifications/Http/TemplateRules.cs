using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Contracts;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Http;

/// <summary>Validates a template: it must parse, render with sample data, and use only variables that exist.</summary>
internal static class TemplateRules
{
    public const int MaxSubject = 500, MaxBody = 32 * 1024, MaxHtml = 128 * 1024;

    public const string SampleName = "Maria Anders";

    public static readonly Guid SampleOrder = Guid.Parse("01997a3e-0000-7000-8000-000000000001");

    private static readonly NotificationData s_stock = new() { ProductId = Guid.Parse("01997a3e-0000-7000-8000-000000000002"), Available = 8, Threshold = 10, Sku = "TEA-001", ProductName = "Chai" };

    private static readonly NotificationData s_order = new()
    {
        Total = new Money(73.00m, "EUR"),
        Lines = [new("Chai", 3), new("Chang", 1)],
        MoreLines = 2,
        RevisionRejected = true,
        Shortages = [new("Chai", 30, 1)],
        Carrier = "DHL",
        TrackingNumber = "00340434161094021501",
    };

    public static NotificationData Sample(string template) => Templates.ForStaff.Contains(template) ? s_stock : s_order;

    /// <summary>The template ready to be rendered, or the 400 or 422 to answer with.</summary>
    public static ParsedTemplate? Check(TemplateKey key, TemplateText text, out ProblemHttpResult? problem)
    {
        var errors = new RequestErrors();
        if (key.Channel == NotificationChannel.Sms)
        {
            errors.Require(text.Subject is null, "$.subject", "A text message has no subject.");
            errors.Require(text.Html is null, "$.html", "A text message has no HTML.");
        }
        else
        {
            errors.RequireText(text.Subject, MaxSubject, "$.subject");
        }

        errors.RequireText(text.Body, MaxBody, "$.body", multiline: true);
        errors.AllowText(text.Html, MaxHtml, "$.html", multiline: true);
        if (errors.Any)
        {
            problem = errors.Malformed();
            return null;
        }

        var problems = new Dictionary<string, TemplateProblem>();
        var parsed = ParsedTemplate.Parse(key.Channel, text, problems);
        if (parsed is not null)
        {
            Try(parsed, text, MessageValues.Of(SampleOrder, Sample(key.Template), SampleName, key.Language), problems);
            Try(parsed, text, MessageValues.Of(SampleOrder, Sample(key.Template) with { RevisionRejected = false, MoreLines = 0 }, SampleName, key.Language), problems);
        }

        problem = problems.Count == 0 ? null : Invalid(problems);
        return problem is null ? parsed : null;
    }

    public static ProblemHttpResult Invalid(IReadOnlyDictionary<string, TemplateProblem> problems)
    {
        var first = problems.Values.First();
        return Problems.Of(
            "template-invalid", "The template cannot be used.", StatusCodes.Status422UnprocessableEntity, "See errors, a map from JSON path to messages.",
            ("errors", problems.ToDictionary(p => p.Key, p => new[] { p.Value.ToString() })), ("line", first.Line), ("column", first.Column));
    }

    private static void Try(ParsedTemplate parsed, TemplateText text, Dictionary<string, object?> values, Dictionary<string, TemplateProblem> problems)
    {
        string Source(string path) => (path switch { "$.subject" => text.Subject, "$.html" => text.Html, _ => text.Body }) ?? "";
        try
        {
            parsed.Fill(values, (path, name) => problems.TryAdd(path, name.All(c => char.IsLetterOrDigit(c) || c is '_' or '-')
                ? TemplateEngine.At(Source(path), name, string.Create(CultureInfo.InvariantCulture, $"There is no variable {name}."))
                : new("The template uses a member that a variable does not have.", 1, 1)));
        }
        catch (TemplateFailedException exception)
        {
            problems.TryAdd("$.body", new(exception.Message, 1, 1));
        }
    }
}
