using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using Fluid;
using Fluid.Ast;
using Fluid.Values;

namespace OrderInventory.Notifications.Channels;

/// <summary>What is wrong with a template, and where (line and column count from 1).</summary>
internal sealed record TemplateProblem(string Message, int Line, int Column)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Line {Line}, column {Column}: {Message}");
}

/// <summary>A template cannot be filled. The exception's message contains no data.</summary>
internal sealed class TemplateFailedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Liquid templates (Fluid), restricted so that untrusted authors may write them. Constructs that can use much memory are removed: ranges (which
/// become lists in memory), capture, include, macro, and filters that multiply text. The rest is limited in steps and in output. Tags are
/// limited in length and depth before they are parsed, because the parser recurses and a stack overflow ends the process.
/// </summary>
internal static partial class TemplateEngine
{
    private const int MaxTagLength = 500;
    private const int MaxDepth = 20;
    private const int MaxSteps = 10_000;

    private static readonly string[] s_tags = ["if", "unless", "case", "for", "break", "continue", "assign", "echo"];

    private static readonly FrozenSet<string> s_filters = FrozenSet.Create(
        "abs", "at_least", "at_most", "capitalize", "ceil", "default", "divided_by", "downcase", "escape", "first", "floor", "last", "lstrip", "minus",
        "modulo", "plus", "round", "rstrip", "size", "strip", "strip_newlines", "times", "truncate", "upcase");

    private static readonly FluidParser s_parser = CreateParser();
    private static readonly TemplateOptions s_options = CreateOptions();

    /// <summary>The template, or what is wrong with it.</summary>
    public static IFluidTemplate? Parse(string source, out TemplateProblem? problem)
    {
        problem = CheckTags(source);
        if (problem is not null)
        {
            return null;
        }

        if (!s_parser.TryParse(source, out var template, out var error))
        {
            // "… at (3:17)\nSource:\n…"
            var position = Position().Match(error);
            problem = position.Success
                ? new(error[..position.Index].Trim() + ".", int.Parse(position.Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(position.Groups[2].Value, CultureInfo.InvariantCulture))
                : new(error, 1, 1);
            return null;
        }

        var inspector = new Inspector();
        inspector.VisitTemplate(template);
        if (inspector.Refused is var (message, text))
        {
            problem = At(source, text, message);
            return null;
        }

        return template;
    }

    /// <summary>Fills a template.</summary>
    /// <param name="template">A template from <see cref="Parse"/>.</param>
    /// <param name="values">Its variables.</param>
    /// <param name="html">Whether values are encoded for HTML.</param>
    /// <param name="maxLength">Maximum number of characters of the output.</param>
    /// <param name="undefined">Receives the names of variables that do not exist; they are rendered empty.</param>
    /// <exception cref="TemplateFailedException">The template exceeds a limit, or does something that is not possible with a value.</exception>
    public static string Render(IFluidTemplate template, IReadOnlyDictionary<string, object?> values, bool html, int maxLength, Action<string>? undefined = null)
    {
        var context = new TemplateContext(s_options);
        foreach (var (name, value) in values)
        {
            context.SetValue(name, FluidValue.Create(value, s_options));
        }

        context.Undefined = name =>
        {
            undefined?.Invoke(name);
            return ValueTask.FromResult<FluidValue>(NilValue.Instance);
        };
        using var output = new BoundedWriter(maxLength);
        try
        {
            // Nothing in it is asynchronous, so the task is complete when the call returns.
            template.RenderAsync(output, html ? HtmlEncoder.Default : NullEncoder.Default, context).AsTask().GetAwaiter().GetResult();
            return output.ToString();
        }
        catch (TemplateFailedException)
        {
            throw;
        }
        catch (InvalidOperationException exception)
        {
            throw new TemplateFailedException("The template takes too many steps.", exception);
        }
        catch (Exception exception) when (exception is FluidException or ArithmeticException or FormatException or ArgumentException or InvalidCastException or NullReferenceException)
        {
            throw new TemplateFailedException("The template uses a value in a way that its type does not allow.", exception);
        }
    }

    /// <summary>Where a text is in a source, for problems that are found after parsing.</summary>
    public static TemplateProblem At(string source, string text, string message)
    {
        var index = Math.Max(0, source.IndexOf(text, StringComparison.Ordinal));
        var before = source.AsSpan(0, index);
        return new(message, before.Count('\n') + 1, index - before.LastIndexOf('\n'));
    }

    private static TemplateProblem? CheckTags(string source)
    {
        var depth = 0;
        for (var i = 0; i < source.Length - 1; i++)
        {
            if (source[i] != '{' || source[i + 1] is not ('{' or '%'))
            {
                continue;
            }

            var close = source[i + 1] == '{' ? '}' : '%';
            var (end, quote) = (i + 2, '\0');
            // Without raw and comment, the end of a tag is unambiguous.
            while (end < source.Length - 1 && (quote != '\0' || source[end] != close || source[end + 1] != '}'))
            {
                if (end - i > MaxTagLength)
                {
                    return Here(i, string.Create(CultureInfo.InvariantCulture, $"A tag has at most {MaxTagLength} characters."));
                }

                if (source[end] == '\\')
                {
                    return Here(end, "No backslash is allowed in a tag.");
                }

                quote = (quote, source[end]) switch
                {
                    ('\0', '\'' or '"') => source[end],
                    var (open, character) when open == character => '\0',
                    _ => quote,
                };
                end++;
            }

            var tag = source.AsSpan(i + 2, Math.Min(end, source.Length) - i - 2).TrimStart('-').TrimStart();
            depth += Starts(tag, "if") || Starts(tag, "unless") || Starts(tag, "case") || Starts(tag, "for") ? 1 : Starts(tag, "end", whole: false) ? -1 : 0;
            if (depth > MaxDepth)
            {
                return Here(i, string.Create(CultureInfo.InvariantCulture, $"Tags are nested at most {MaxDepth} deep."));
            }

            i = end;
        }

        return null;

        TemplateProblem Here(int index, string message)
        {
            var before = source.AsSpan(0, index);
            return new(message, before.Count('\n') + 1, index - before.LastIndexOf('\n'));
        }

        static bool Starts(ReadOnlySpan<char> tag, string name, bool whole = true) =>
            tag.StartsWith(name, StringComparison.Ordinal) && (!whole || tag.Length == name.Length || !char.IsLetterOrDigit(tag[name.Length]));
    }

    private static FluidParser CreateParser()
    {
        var parser = new FluidParser(new FluidParserOptions { AllowFunctions = false, AllowLiquidTag = false, AllowParentheses = false });
        foreach (var tag in parser.RegisteredTags.Keys.Except(s_tags).ToList())
        {
            parser.RegisteredTags.Remove(tag);
        }

        return parser;
    }

    private static TemplateOptions CreateOptions()
    {
        var options = new TemplateOptions { MaxSteps = MaxSteps, MaxRecursion = MaxDepth, CultureInfo = CultureInfo.InvariantCulture, StrictFilters = true };
        foreach (var filter in options.Filters.Select(f => f.Key).Where(name => !s_filters.Contains(name)).ToList())
        {
            options.Filters.Remove(filter);
        }

        return options;
    }

    /// <summary>Refuses what can be parsed but must not run.</summary>
    private sealed class Inspector : AstVisitor
    {
        public (string Message, string Text)? Refused { get; private set; }

        protected override Expression VisitRangeExpression(RangeExpression rangeExpression)
        {
            Refused ??= ("Ranges are not supported.", "(");
            return base.VisitRangeExpression(rangeExpression);
        }

        protected override Expression VisitFilterExpression(FilterExpression filterExpression)
        {
            if (!s_filters.Contains(filterExpression.Name))
            {
                Refused ??= ($"There is no filter {filterExpression.Name}.", filterExpression.Name);
            }

            return base.VisitFilterExpression(filterExpression);
        }
    }

    private sealed class BoundedWriter(int maxLength) : StringWriter(new StringBuilder(), CultureInfo.InvariantCulture)
    {
        public override void Write(char value)
        {
            Reserve(1);
            base.Write(value);
        }

        public override void Write(char[] buffer, int index, int count)
        {
            Reserve(count);
            base.Write(buffer, index, count);
        }

        public override void Write(ReadOnlySpan<char> buffer)
        {
            Reserve(buffer.Length);
            base.Write(buffer);
        }

        public override void Write(string? value)
        {
            Reserve(value?.Length ?? 0);
            base.Write(value);
        }

        public override Task WriteAsync(char value)
        {
            Write(value);
            return Task.CompletedTask;
        }

        public override Task WriteAsync(string? value)
        {
            Write(value);
            return Task.CompletedTask;
        }

        public override Task WriteAsync(char[] buffer, int index, int count)
        {
            Write(buffer, index, count);
            return Task.CompletedTask;
        }

        public override Task WriteAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return Task.CompletedTask;
        }

        private void Reserve(int count)
        {
            if (GetStringBuilder().Length + count > maxLength)
            {
                throw new TemplateFailedException(string.Create(CultureInfo.InvariantCulture, $"The result is longer than {maxLength} characters."));
            }
        }
    }

    [GeneratedRegex(@" at \((\d+):(\d+)\)")]
    private static partial Regex Position();
}
