using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>Describes in the OpenAPI document what the helpers of this folder do: headers that they read and statuses that they return.</summary>
public static class ApiDescriptions
{
    /// <summary>The OpenAPI extension that lists the roles an operation permits.</summary>
    public const string RolesExtension = "x-roles";

    private const string SecurityScheme = "bearer";

    /// <summary>Adds statuses that are returned as <c>application/problem+json</c>.</summary>
    public static RouteHandlerBuilder WithProblems(this RouteHandlerBuilder route, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses)
        {
            route.ProducesProblem(status);
        }

        return route;
    }

    /// <summary>A read that honours If-None-Match: <see cref="ETags.Ok"/>.</summary>
    public static RouteHandlerBuilder WithETag(this RouteHandlerBuilder route) => route
        .WithHeader("If-None-Match", required: false, "The ETag of the caller's copy; 304 if it is still current.")
        .Produces(StatusCodes.Status304NotModified);

    /// <summary>A change that needs If-Match: <see cref="ETags.CheckIfMatch"/>.</summary>
    public static RouteHandlerBuilder WithIfMatch(this RouteHandlerBuilder route) => route
        // Not marked as required in the document: a request without it gets its own status, 428.
        .WithHeader("If-Match", required: false, "The ETag of the version to change. Without it, the answer is 428.")
        .WithProblems(StatusCodes.Status412PreconditionFailed, StatusCodes.Status428PreconditionRequired);

    /// <summary>An action that honours If-Match when it is sent.</summary>
    public static RouteHandlerBuilder WithOptionalIfMatch(this RouteHandlerBuilder route) => route
        .WithHeader("If-Match", required: false, "The ETag of the version to act on. Without it, any version is accepted.")
        .WithProblems(StatusCodes.Status412PreconditionFailed);

    /// <summary>A POST that honours Idempotency-Key, or needs one: <see cref="Data.IdempotentCreate"/>.</summary>
    public static RouteHandlerBuilder WithIdempotencyKey(this RouteHandlerBuilder route, bool required = false) => route
        .WithHeader(
            Data.IdempotentCreate.Header, required, "Any printable text of at most 255 characters. Requests with the same key and body create only one resource.")
        .WithProblems(StatusCodes.Status409Conflict, StatusCodes.Status422UnprocessableEntity);

    /// <summary>A POST whose answer may wait for an outcome: <c>Prefer: wait=N</c> (RFC 7240, section 4.3).</summary>
    public static RouteHandlerBuilder WithPreferWait(this RouteHandlerBuilder route) => route
        .WithHeader("Prefer", required: false, "wait=N: the answer waits for the outcome, up to N seconds, at most 30; Preference-Applied confirms it.");

    /// <summary>Configures what every OpenAPI document of the system needs; <c>AddServiceDefaults</c> calls it.</summary>
    internal static void Configure(OpenApiOptions options)
    {
        options.CreateSchemaReferenceId = SchemaId;
        options.AddSchemaTransformer((schema, context, _) =>
        {
            var type = context.JsonTypeInfo.Type;
            if (type.GetCustomAttribute<ExampleAttribute>() is { } example)
            {
                schema.Examples = [JsonNode.Parse(example.Json)!];
            }

            if ((Nullable.GetUnderlyingType(type) ?? type) is { IsEnum: true } enumeration)
            {
                // The generator cannot see what the converters of StrictJson write.
                schema.Enum ??= [.. Enum.GetNames(enumeration).Select(name => (JsonNode)JsonNamingPolicy.CamelCase.ConvertName(name))];
            }

            if (context.ParameterDescription is not null && schema.Enum is { } values)
            {
                // A parameter may be omitted, but is never null.
                schema.Enum = [.. values.Where(value => value is not null)];
                schema.Type = JsonSchemaType.String;
            }
            else if (schema.Type is null && (type == typeof(string) || type.IsEnum))
            {
                schema.Type = context.JsonPropertyInfo?.IsGetNullable == true ? JsonSchemaType.String | JsonSchemaType.Null : JsonSchemaType.String;
            }
            else if (schema.Type?.HasFlag(JsonSchemaType.Array) == true && schema.Items is null && type.IsAssignableTo(typeof(IEnumerable<string>)))
            {
                schema.Items = new OpenApiSchema { Type = JsonSchemaType.String };
            }
            else if (type == typeof(decimal) || type == typeof(decimal?))
            {
                // The generator's "double" would tell clients to read money as a floating-point number.
                schema.Format = "decimal";
                schema.Type ??= type == typeof(decimal?) && context.ParameterDescription is null ? JsonSchemaType.Number | JsonSchemaType.Null : JsonSchemaType.Number;
            }
            else if (type == typeof(DateTimeOffset) || type == typeof(DateTimeOffset?))
            {
                schema.Format = "date-time";
                // A member of a body may be null; a parameter is omitted instead.
                schema.Type = type == typeof(DateTimeOffset?) && context.JsonPropertyInfo is not null ? JsonSchemaType.String | JsonSchemaType.Null : JsonSchemaType.String;
            }
            else if (type == typeof(ProblemDetails))
            {
                // traceId, errors, version, lines: see Problems.
                schema.AdditionalPropertiesAllowed = true;
            }

            if (type == typeof(string) && context.JsonPropertyInfo?.AttributeProvider?.GetCustomAttributes(typeof(MaxLengthAttribute), inherit: false) is [MaxLengthAttribute limit])
            {
                // The generator omits it where the member is optional.
                schema.MaxLength = limit.Length;
            }

            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            var endpoint = context.Description.ActionDescriptor.EndpointMetadata;
            // Generated clients name their methods after this: the use case, which is the handler's class, unless the endpoint has a name.
            operation.OperationId = JsonNamingPolicy.CamelCase.ConvertName(operation.OperationId ?? endpoint.OfType<MethodInfo>().First().DeclaringType!.Name);
            if (endpoint.OfType<IAuthorizeData>().LastOrDefault()?.Policy is { } name)
            {
                // docs/security.md says which roles see only their own data.
                var roles = Policies.All.Single(policy => policy.Name == name).Roles;
                (operation.Extensions ??= new Dictionary<string, IOpenApiExtension>())[RolesExtension] = new JsonNodeExtension(new JsonArray([.. roles.Order().Select(role => JsonValue.Create(role))]));
            }

            return Task.CompletedTask;
        });
        options.AddDocumentTransformer((document, _, _) =>
        {
            // Otherwise "OrderInventory.Orders | v1".
            document.Info.Title = document.Info.Title!.Split(" | ")[0];
            ((document.Components ??= new()).SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>())[SecurityScheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                BearerFormat = "JWT",
                Description = "A token of the OpenID Connect provider that the services trust. It needs one of the roles in x-roles.",
            };
            document.Security = [new() { [new OpenApiSecuritySchemeReference(SecurityScheme, document)] = [] }];
            foreach (var operation in document.Paths.Values.SelectMany(path => path.Operations ?? []).Select(entry => entry.Value))
            {
                // Members that are required in the document are optional in a patch of it.
                if (operation.RequestBody?.Content?.TryGetValue(MergePatchContentType.Value, out var body) == true
                    && body.Schema is OpenApiSchemaReference { Reference.Id: { } id }
                    && document.Components?.Schemas?[id] is OpenApiSchema schema)
                {
                    schema.Required = null;
                }

                DescribeProblems(operation);
                DescribeHeaders(operation);
                DescribeStreams(operation);
            }

            return Task.CompletedTask;
        });
    }

    /// <summary>
    /// Adds the problems that every operation may return: for an invalid or insufficient token, for a query or a body that cannot be read, and for
    /// more requests than the gateway (429) or the service (503) accepts.
    /// </summary>
    private static void DescribeProblems(OpenApiOperation operation)
    {
        var responses = operation.Responses ??= [];
        if (responses.Values.FirstOrDefault(r => r.Content?.ContainsKey("application/problem+json") == true)?.Content is not { } content)
        {
            return;
        }

        foreach (var status in operation.RequestBody is null ? ["400", "401", "403", "429", "503"] : (string[])["400", "401", "403", "408", "413", "415", "429", "503"])
        {
            responses.TryAdd(status, new OpenApiResponse
            {
                Description = ReasonPhrases.GetReasonPhrase(int.Parse(status, CultureInfo.InvariantCulture)),
                Content = new Dictionary<string, OpenApiMediaType>(content.Where(c => c.Key == "application/problem+json")),
            });
        }

        var inOrder = responses.OrderBy(r => r.Key, StringComparer.Ordinal).ToList();
        responses.Clear();
        inOrder.ForEach(response => responses.Add(response.Key, response.Value));
    }

    /// <summary>Adds the headers that responses have by convention, so that each endpoint need not repeat them.</summary>
    private static void DescribeHeaders(OpenApiOperation operation)
    {
        var requestHeaders = (operation.Parameters ?? []).Where(p => p.In == ParameterLocation.Header).Select(p => p.Name).ToHashSet();
        foreach (var (status, answer) in operation.Responses ?? [])
        {
            if (answer is not OpenApiResponse response)
            {
                continue;
            }

            switch (status)
            {
                case "200" when requestHeaders.Contains("If-None-Match") || requestHeaders.Contains("If-Match"):
                    Add(response, "ETag", "The resource's version.");
                    break;
                case "401":
                    Add(response, "WWW-Authenticate", "Bearer, and what is wrong with the token.");
                    break;
                case "201":
                    Add(response, "Location", "The address of the resource.");
                    Add(response, "ETag", "The resource's version.");
                    if (requestHeaders.Contains(Data.IdempotentCreate.Header))
                    {
                        Add(response, Data.IdempotentCreate.ReplayedHeader, "true if an earlier request with the same key created the resource.");
                    }

                    if (requestHeaders.Contains("Prefer"))
                    {
                        Add(response, "Preference-Applied", "The wait that was honoured.");
                    }

                    break;
                case "429" or "503":
                    Add(response, "Retry-After", "Seconds to wait before the next attempt.");
                    break;
            }
        }

        static void Add(OpenApiResponse response, string name, string description) =>
            (response.Headers ??= new Dictionary<string, IOpenApiHeader>())[name] = new OpenApiHeader
            {
                Description = description,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            };
    }

    /// <summary>
    /// Marks files of any length and endless events as binary, so that a generated client streams them instead of reading a text to its end.
    /// </summary>
    private static void DescribeStreams(OpenApiOperation operation)
    {
        var contents = (operation.Responses ?? []).Values.Select(response => response.Content).Append(operation.RequestBody?.Content);
        foreach (var (type, content) in contents.SelectMany(content => content ?? new Dictionary<string, OpenApiMediaType>()))
        {
            if (type != "application/json" && !type.EndsWith("+json", StringComparison.Ordinal))
            {
                content.Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" };
            }
        }
    }

    /// <summary>Every slice has its own Request, so the slice's name is put before it, without the suffix that it has in the code.</summary>
    private static string? SchemaId(JsonTypeInfo json) =>
        // The enum values of a filter are listed at the filter itself.
        OpenApiOptions.CreateDefaultSchemaReferenceId(json) is null || Nullable.GetUnderlyingType(json.Type) is { IsEnum: true } ? null : Name(json.Type);

    private static string Name(Type type)
    {
        var name = type.IsNested ? type.DeclaringType!.Name.Replace("Endpoints", "", StringComparison.Ordinal) + type.Name : type.Name;
        return type.IsGenericType ? $"{name[..name.IndexOf('`', StringComparison.Ordinal)]}Of{string.Concat(type.GetGenericArguments().Select(Name))}" : name;
    }

    private static RouteHandlerBuilder WithHeader(this RouteHandlerBuilder route, string name, bool required, string description) =>
        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            (operation.Parameters ??= []).Add(new OpenApiParameter
            {
                Name = name,
                In = ParameterLocation.Header,
                Required = required,
                Description = description,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
            return Task.CompletedTask;
        });
}
