using System.Collections.Frozen;
using System.Text.RegularExpressions;
using Fluid;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Channels;

/// <summary>A template ready to be filled.</summary>
internal sealed class ParsedTemplate
{
    /// <summary>Maximum number of characters of a filled part.</summary>
    public const int MaxSubject = 500, MaxText = 64 * 1024, MaxHtml = 256 * 1024, MaxSms = 1000;

    private readonly NotificationChannel _channel;
    private readonly IFluidTemplate? _subject;
    private readonly IFluidTemplate _body;
    private readonly IFluidTemplate? _html;

    private ParsedTemplate(NotificationChannel channel, IFluidTemplate? subject, IFluidTemplate body, IFluidTemplate? html) =>
        (_channel, _subject, _body, _html) = (channel, subject, body, html);

    /// <summary>The template, or null; <paramref name="problems"/> then has what is wrong, by JSON path.</summary>
    public static ParsedTemplate? Parse(NotificationChannel channel, TemplateText text, Dictionary<string, TemplateProblem> problems)
    {
        var subject = Part(text.Subject, "$.subject");
        var body = Part(text.Body, "$.body");
        var html = Part(text.Html, "$.html");
        return problems.Count == 0 ? new(channel, subject, body!, html) : null;

        IFluidTemplate? Part(string? source, string path)
        {
            TemplateProblem? problem = null;
            var parsed = source is null ? null : TemplateEngine.Parse(source, out problem);
            if (problem is not null)
            {
                problems[path] = problem;
            }

            return parsed;
        }
    }

    /// <exception cref="TemplateFailedException">The template cannot be filled.</exception>
    public TemplateText Fill(IReadOnlyDictionary<string, object?> values, Action<string, string>? undefined = null)
    {
        // A subject is one line, whatever the values contain.
        var subject = _subject is null ? null : MessageValues.OnOneLine(TemplateEngine.Render(_subject, values, html: false, MaxSubject, n => undefined?.Invoke("$.subject", n))).Trim();
        var body = TemplateEngine.Render(_body, values, html: false, _channel == NotificationChannel.Sms ? MaxSms : MaxText, n => undefined?.Invoke("$.body", n));
        var html = _html is null ? null : TemplateEngine.Render(_html, values, html: true, MaxHtml, n => undefined?.Invoke("$.html", n));
        return new(subject, _channel == NotificationChannel.Sms ? body.Trim() : body, html);
    }
}

/// <summary>
/// The built-in templates: <c>Templates/{language}/{template}.{channel}.txt</c>. In a mail's template the first line is the subject, the rest the
/// text.
/// </summary>
internal static partial class BuiltInTemplates
{
    public const string DefaultLanguage = "en";

    private static readonly FrozenDictionary<TemplateKey, (TemplateText Text, ParsedTemplate Parsed)> s_all = Load();

    public static IEnumerable<TemplateKey> Keys => s_all.Keys;

    public static TemplateText? Find(TemplateKey key) => s_all.TryGetValue(key, out var found) ? found.Text : null;

    public static ParsedTemplate? FindParsed(TemplateKey key) => s_all.TryGetValue(key, out var found) ? found.Parsed : null;

    /// <summary>The languages to try, such as <c>de-at-1996</c>, <c>de-at</c>, <c>de</c>, and finally English.</summary>
    public static IEnumerable<string> Languages(string? language)
    {
        for (var tag = language?.ToLowerInvariant(); !string.IsNullOrEmpty(tag); tag = tag.LastIndexOf('-') is > 0 and var end ? tag[..end] : null)
        {
            yield return tag;
        }

        yield return DefaultLanguage;
    }

    private static FrozenDictionary<TemplateKey, (TemplateText, ParsedTemplate)> Load()
    {
        var assembly = typeof(BuiltInTemplates).Assembly;
        var templates = new Dictionary<TemplateKey, (TemplateText, ParsedTemplate)>();
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            if (ResourceName().Match(resource) is not { Success: true } name)
            {
                continue;
            }

            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            var channel = Enum.Parse<NotificationChannel>(name.Groups["channel"].Value, ignoreCase: true);
            var subject = channel == NotificationChannel.Email ? reader.ReadLine() : null;
            var text = new TemplateText(subject, reader.ReadToEnd().TrimStart('\n', '\r').ReplaceLineEndings("\n"), null);
            var problems = new Dictionary<string, TemplateProblem>();
            var parsed = ParsedTemplate.Parse(channel, text, problems) ?? throw new InvalidOperationException($"{resource}: {string.Join(' ', problems.Values)}");
            templates.Add(new(name.Groups["template"].Value, channel, name.Groups["language"].Value), (text, parsed));
        }

        return templates.ToFrozenDictionary();
    }

    [GeneratedRegex(@"^Templates/(?<language>[a-z-]+)/(?<template>\w+)\.(?<channel>\w+)\.txt$")]
    private static partial Regex ResourceName();
}
